"""Guides with the parameters of a posterior that they can hold are calibrated, and with others they are not."""

import pytest
import torch

from obsvae.guides import AmortisedLowRank, AmortisedMixture, AmortisedStudentT, MLPEncoder
from obsvae.inference import Amortised, calibrate
from obsvae.model import VAE
from tests.inference.parts import Mixture, StudentT

N = 300


def guide_of(kind, outputs, weight, bias, **options):
    """Return a guide whose encoder is linear, with these weights ``(outputs, features)`` and biases ``(outputs,)``."""
    guide = kind(MLPEncoder((weight.shape[1],), outputs, hidden=()), **options).double()
    with torch.no_grad():
        guide.encoder.layers[-1].weight.copy_(weight)
        guide.encoder.layers[-1].bias.copy_(bias)
    return guide


def raw(scale, floor=1e-4):
    """Return what softplus makes a scale of, less the floor."""
    return torch.log(torch.expm1(torch.as_tensor(scale, dtype=torch.float64) - floor))


def is_calibrated(model, guide):
    found = calibrate(model, guide, N, 99, proposal=Amortised(), particles=200, progress=False)
    return not found.outside("guide")


@pytest.mark.slow
@pytest.mark.parametrize(("share", "is_held"), [(1.0, True), (0.0, False)])
def test_a_low_rank_guide_holds_a_correlated_posterior(linear_gaussian, share, is_held):
    problem = linear_gaussian(latent=2, features=6, sigma=0.7, dtype=torch.float64, seed=3)
    with torch.no_grad():
        first, second = problem.model.decoder.head.weight.T
        second.copy_(first + 0.1 * second)  # nearly the same, so that x tells of their sum
    _, covariance = problem.posterior(problem.draw(1))
    off = covariance[0, 1]
    assert abs(off) > 0.6 * covariance.diagonal().prod().sqrt()  # else a diagonal would do
    direction = off.abs().sqrt() * torch.tensor([1.0, float(off.sign())], dtype=torch.float64)
    diagonal = (covariance.diagonal() - direction.square()).sqrt()
    if not is_held:
        diagonal = covariance.diagonal().sqrt()  # each latent by itself is right, and both together are not
    gain = covariance @ problem.W.T / problem.sigma**2
    weight = torch.cat([gain, torch.zeros(4, 6, dtype=torch.float64)])
    bias = torch.cat([-gain @ problem.b, raw(diagonal), share * direction])
    guide = guide_of(AmortisedLowRank, 6, weight, bias, rank=1)
    assert is_calibrated(problem.model, guide) is is_held


@pytest.mark.slow
@pytest.mark.parametrize(("sees", "is_held"), [(1.0, True), (0.0, False)])
def test_a_mixture_holds_a_posterior_with_two_modes(linear_gaussian, sees, is_held):
    problem = linear_gaussian(latent=1, features=3, sigma=4.0, dtype=torch.float64)
    model = VAE(Mixture(), problem.model.decoder, problem.model.observation)
    W, b, variance = problem.W, problem.b, problem.sigma**2
    means, spread = torch.tensor([-2.0, 2.0], dtype=torch.float64), torch.tensor(0.3, dtype=torch.float64)
    precision = 1 / spread**2 + (W.T @ W).squeeze() / variance
    covariance = spread**2 * W @ W.T + variance * torch.eye(3, dtype=torch.float64)
    # log N(x; W m + b, S), less what both components have in common
    at = W * means  # (features, K)
    slope = torch.linalg.solve(covariance, at)
    logits, level = slope.T, -0.5 * (at * slope).sum(0) - slope.T @ b
    gain = (W.T / variance / precision).expand(2, 3)
    loc = (means / spread**2 - (W.T @ b) / variance) / precision
    weight = torch.cat([sees * logits, gain, torch.zeros(2, 3, dtype=torch.float64)])
    bias = torch.cat([sees * level, loc, raw(precision.rsqrt()).expand(2)])
    guide = guide_of(AmortisedMixture, 6, weight, bias, components=2)
    assert is_calibrated(model, guide) is is_held


@pytest.mark.slow
@pytest.mark.parametrize(("df", "scale", "is_held"), [(3.0, 1.0, True), (3.0, 0.5, False), (100.0, 1.0, False)])
def test_a_students_t_holds_one(linear_gaussian, df, scale, is_held):
    problem = linear_gaussian(latent=2, features=3, dtype=torch.float64)
    with torch.no_grad():
        problem.model.decoder.head.weight.zero_()  # x tells nothing: the posterior is the prior, with 3 degrees
    model = VAE(StudentT(2).double(), problem.model.decoder, problem.model.observation)
    weight = torch.zeros(4, 3, dtype=torch.float64)
    bias = torch.cat([torch.zeros(2, dtype=torch.float64), raw(scale).expand(2)])
    guide = guide_of(AmortisedStudentT, 4, weight, bias, df=df)
    assert is_calibrated(model, guide) is is_held
