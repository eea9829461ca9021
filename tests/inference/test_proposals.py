"""Every proposal against exact answers, also where the guide is poor."""

import numpy as np
import pytest
import torch

from data import load
from guides import AmortisedDelta, AmortisedNormal, MLPEncoder
from inference import Amortised, Annealed, Refined, bidirectional, log_likelihood
from model import VAE, Bernoulli, MLPDecoder, Normal, StandardNormal, make_observation


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_refined_is_within_a_hundredth_of_a_nat_of_the_closed_form(linear_gaussian, dtype):
    # The guide is untrained: its mean and width are arbitrary.
    problem = linear_gaussian(latent=2, features=5, dtype=dtype)
    x = problem.draw(20)
    found = log_likelihood(problem.model, problem.guide, x, 50_000, progress=False)
    assert np.abs(found.weights.estimate - problem.log_marginal(x)).max() < 0.01
    assert not found.weights.flagged.any()


ANNEALED = {
    "from the fit": (Annealed(temperatures=300), 200),
    "from the prior": (Annealed(temperatures=500, start=None), 300),
}


@pytest.mark.parametrize("name", ANNEALED)
def test_annealing_is_right_within_its_error(linear_gaussian, name):
    problem = linear_gaussian(latent=2, features=5)
    x = problem.draw(20)
    proposal, K = ANNEALED[name]
    found = log_likelihood(problem.model, problem.guide, x, K, proposal=proposal, progress=False)
    error = found.weights.estimate - problem.log_marginal(x)
    assert abs(error.mean()) < 0.02
    assert np.abs(error / found.weights.standard_error).max() < 4.5


@pytest.mark.slow
def test_annealing_is_within_a_hundredth_of_a_nat_of_the_closed_form(linear_gaussian):
    problem = linear_gaussian(latent=2, features=5)
    x = problem.draw(20)
    proposal = Annealed(temperatures=1000)
    found = log_likelihood(problem.model, problem.guide, x, 2000, proposal=proposal, progress=False)
    assert np.abs(found.weights.estimate - problem.log_marginal(x)).max() < 0.01


def test_the_fit_of_a_normal_posterior_is_exact(linear_gaussian):
    problem = linear_gaussian(latent=3, features=50, dtype=torch.float64)
    x = problem.draw(10)
    found = log_likelihood(problem.model, problem.guide, x, 500, keep_weights=True, keep_particles=True, progress=False)
    mean, covariance = problem.posterior(x)
    w = np.exp(found.log_weights - found.log_weights.max(0))
    estimated = (w[..., None] * found.z).sum(0) / w.sum(0)[:, None]
    assert np.abs(estimated - mean.numpy()).max() < 6 * np.sqrt(covariance.diagonal().max().item() / 500)
    assert (found.weights.ess > 350).all()


def on_a_line(observation, x, log_scale=0.0, seed=0):
    """Return a model with one latent, and its log-marginal by the trapezoidal rule."""
    torch.manual_seed(seed)
    decoder = MLPDecoder(1, x.shape[1:], observation.outputs, hidden=(6,))
    model = VAE(StandardNormal(1), decoder, observation).double()
    model.initialise(x)
    with torch.no_grad():
        for parameter in model.decoder.body.parameters():
            parameter.mul_(2.0)
        z = torch.linspace(-9, 9, 20_001, dtype=torch.float64)[:, None]
        log_joint = model.observation(decoder(z)).to_event(x.ndim - 1)
        log_joint = torch.stack([log_joint.log_prob(datum.expand(len(z), *datum.shape)) for datum in x])
        log_joint = log_joint + model.prior().log_prob(z)
        exact = log_joint.logsumexp(1) + np.log(18 / 20_000)
    return model, exact.numpy()


@pytest.mark.parametrize("proposal", [Refined(), Annealed(temperatures=300)], ids=["refined", "ais"])
def test_linear_bernoulli_against_quadrature(proposal):
    torch.manual_seed(0)
    x = torch.bernoulli(torch.full((12, 9), 0.4, dtype=torch.float64))
    model, exact = on_a_line(Bernoulli(), x)
    guide = AmortisedNormal(MLPEncoder((9,), 2, (4,))).double()
    K = 2000 if isinstance(proposal, Refined) else 100
    found = log_likelihood(model, guide, x, K, proposal=proposal, progress=False)
    error = found.weights.estimate - exact
    assert np.abs(error / found.weights.standard_error.clip(min=2e-4)).max() < 4.5
    assert np.abs(error).max() < 0.05


def test_a_plain_autoencoder_has_a_likelihood_by_refined_particles():
    torch.manual_seed(0)
    x = torch.randn(8, 5, dtype=torch.float64)
    model, exact = on_a_line(Normal(scale=0.7), x)
    guide = AmortisedDelta(MLPEncoder((5,), 1, (4,))).double()
    found = log_likelihood(model, guide, x, 2000, progress=False)
    assert np.abs(found.weights.estimate - exact).max() < 0.1


def test_bidirectional_brackets_the_truth(linear_gaussian):
    problem = linear_gaussian()
    found = bidirectional(
        problem.model, problem.guide, 30, 50, proposal=Annealed(temperatures=50), seed=2, progress=False
    )
    lower, upper = found.bounds()
    exact = problem.log_marginal(found.x)
    assert lower.mean() < exact.mean() + 0.01
    assert upper.mean() > exact.mean() - 0.01
    assert (upper - lower).mean() < 0.1
    short = bidirectional(
        problem.model, problem.guide, 200, 1, proposal=Annealed(temperatures=2), seed=2, progress=False
    )
    lower, upper = short.bounds()
    exact = problem.log_marginal(short.x)
    assert lower.mean() < exact.mean() < upper.mean()


def test_annealing_refuses_a_random_density():
    digits = load("digits")
    observation = make_observation("dequantised:inner=normal", digits)
    model = VAE(StandardNormal(2), MLPDecoder(2, digits.event_shape, observation.outputs, (4,)), observation)
    guide = AmortisedNormal(MLPEncoder(digits.event_shape, 4, (4,)))
    with pytest.raises(ValueError, match="dequantisation adds; take the refined proposal"):
        log_likelihood(model, guide, digits.test[:3], 10, proposal=Annealed(), progress=False)


@pytest.mark.parametrize("proposal", [Amortised(), Refined(), Annealed(temperatures=5)], ids=lambda p: p.name)
def test_same_seed_same_numbers(linear_gaussian, proposal):
    problem = linear_gaussian()
    x = problem.draw(5)

    def run(seed):
        return log_likelihood(problem.model, problem.guide, x, 40, proposal=proposal, seed=seed, progress=False).weights

    first = run(1).estimate
    torch.manual_seed(7)
    assert np.array_equal(first, run(1).estimate)
    assert not np.isclose(first, run(2).estimate, atol=0, rtol=1e-12).all()
