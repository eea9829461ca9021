"""Every proposal against exact answers, also where the guide is poor."""

import numpy as np
import pytest
import torch

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.guides import AmortisedDelta, AmortisedNormal, MLPEncoder
from obsvae.inference import Amortised, Annealed, Refined, bidirectional, log_likelihood
from obsvae.inference.likelihood.density.joint import Joint
from obsvae.inference.likelihood.density.randomness import Streams
from obsvae.inference.modes import unchecked
from obsvae.model import VAE, MLPDecoder, Normal, StandardNormal, make_observation
from obsvae.modes import evaluating
from tests.inference.quadrature import by_quadrature


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_refined_is_within_a_hundredth_of_a_nat_of_the_closed_form(linear_gaussian, dtype):
    # The guide is untrained: its mean and width are arbitrary.
    problem = linear_gaussian(latent=2, features=5, dtype=dtype)
    x = problem.draw(20)
    found = log_likelihood(problem.model, problem.guide, x, 50_000, progress=False)
    assert np.abs(found.weights.estimate - problem.log_marginal(x)).max() < 0.01
    assert not found.weights.flagged.any()


@pytest.mark.parametrize(
    ("proposal", "K"),
    [
        (Annealed(temperatures=100, start=Refined()), 200),
        pytest.param(Annealed(temperatures=300, start=Refined()), 200, marks=pytest.mark.slow),
        pytest.param(Annealed(temperatures=500), 300, marks=pytest.mark.slow),
    ],
    ids=["from the fit, few", "from the fit", "from the prior"],
)
def test_annealing_is_right_within_its_error(linear_gaussian, proposal, K):
    problem = linear_gaussian(latent=2, features=5)
    x = problem.draw(20)
    found = log_likelihood(problem.model, problem.guide, x, K, proposal=proposal, progress=False)
    error = found.weights.estimate - problem.log_marginal(x)
    assert abs(error.mean()) < 0.02
    assert np.abs(error / found.weights.standard_error).max() < 4.5


@pytest.mark.slow
def test_annealing_is_within_a_hundredth_of_a_nat_of_the_closed_form(linear_gaussian):
    problem = linear_gaussian(latent=2, features=5)
    x = problem.draw(20)
    proposal = Annealed(temperatures=1000, start=Refined())
    found = log_likelihood(problem.model, problem.guide, x, 2000, proposal=proposal, progress=False)
    assert np.abs(found.weights.estimate - problem.log_marginal(x)).max() < 0.01


@pytest.mark.slow
def test_many_amortised_particles_of_a_wide_guide_are_within_a_hundredth_of_a_nat(linear_gaussian):
    problem = linear_gaussian(latent=2, features=5, sigma=1.0)
    with torch.no_grad():  # q(z | x) is nearly the prior, whatever x: poor, but it covers every posterior
        layer = problem.guide.encoder.layers[-1]
        layer.weight.zero_()
        layer.bias.copy_(torch.tensor([0.0, 0.0, 0.8, 0.8]))
    x = problem.draw(20)
    found = log_likelihood(
        problem.model, problem.guide, x, 3_000_000, proposal=Amortised(), memory=2**30, progress=False
    )
    assert np.abs(found.weights.estimate - problem.log_marginal(x)).max() < 0.01


def test_where_a_narrow_guide_misses_the_posterior_the_amortised_estimate_is_flagged(linear_gaussian):
    problem = linear_gaussian(latent=2, features=5)  # untrained
    x = problem.draw(20)
    found = log_likelihood(problem.model, problem.guide, x, 5000, proposal=Amortised(), progress=False).weights
    error = found.estimate - problem.log_marginal(x)
    assert (error < -1.0).any()
    assert found.flagged[np.abs(error) > 0.3].all()


def test_the_fit_of_a_normal_posterior_is_exact(linear_gaussian):
    problem = linear_gaussian(latent=3, features=50, dtype=torch.float64)
    x = problem.draw(10)
    found = log_likelihood(
        problem.model, problem.guide, x, 500, keep_weights=len(x), keep_particles=len(x), progress=False
    )
    mean, covariance = problem.posterior(x)
    w = np.exp(found.log_weights - found.log_weights.max(0))
    estimated = (w[..., None] * found.z).sum(0) / w.sum(0)[:, None]
    assert np.abs(estimated - mean.numpy()).max() < 6 * np.sqrt(covariance.diagonal().max().item() / 500)
    # Of a Normal that is exact, and comes half of it widened: 365. What a pilot sample tells moves it a little.
    assert (found.weights.ess > 300).all()


def test_a_plain_autoencoder_has_a_likelihood_by_refined_particles():
    torch.manual_seed(0)
    x = torch.randn(8, 5, dtype=torch.float64)
    model = VAE(StandardNormal(1), MLPDecoder(1, (5,), 1, (6,)), Normal(scale=0.7)).double()
    guide = AmortisedDelta(MLPEncoder((5,), 1, (4,))).double()
    found = log_likelihood(model, guide, x, 2000, progress=False)
    assert np.abs(found.weights.estimate - by_quadrature(model, x)).max() < 0.1


def test_bidirectional_brackets_the_truth(linear_gaussian):
    problem = linear_gaussian()
    chains = Annealed(temperatures=50, start=Refined())
    found = bidirectional(problem.model, problem.guide, 30, 50, proposal=chains, seed=2, progress=False)
    lower, upper = found.bounds()
    exact = problem.log_marginal(found.x)
    assert lower.mean() < exact.mean() + 0.01
    assert upper.mean() > exact.mean() - 0.01
    assert (upper - lower).mean() < 0.1
    short = bidirectional(
        problem.model, problem.guide, 200, 1, proposal=Annealed(temperatures=2, most=2), seed=2, progress=False
    )
    lower, upper = short.bounds()
    exact = problem.log_marginal(short.x)
    assert lower.mean() < exact.mean() < upper.mean()


@pytest.mark.parametrize("start", [None, Refined(starts=1, steps=0)], ids=["prior", "fit"])
@pytest.mark.parametrize("way", ["there", pytest.param("back", marks=pytest.mark.slow)])
def test_weights_of_chains_are_unbiased_both_ways(start, way):
    # Few temperatures and a poor start: an error in any step's weight shows in the mean.
    torch.manual_seed(0)
    model = VAE(StandardNormal(1), MLPDecoder(1, (3,), 1, (5,)), Normal(scale=0.6)).double()
    guide = AmortisedNormal(MLPEncoder((3,), 2, ())).double()
    with evaluating(model, guide), unchecked():
        z = model.prior().sample((1,)).expand(4000, 1)
        x = model.observation(model.decoder(z[:1])).sample()
        exact = by_quadrature(model, x)[0]
        # Exact draws of the posterior, by inversion on a fine grid.
        grid = torch.linspace(-6, 6, 40_001, dtype=torch.float64)[:, None]
        joint = Joint(model, guide, x, 50_000)
        posterior = grid[torch.multinomial(joint.log_prob(grid[:, None])[:, 0].softmax(0), 4000, replacement=True)]
        streams = Streams([torch.Generator().manual_seed(i) for i in range(4000)], x.device)
        many = Joint(model, guide, x.expand(4000, 3), 50_000, streams=streams)
        chains = Annealed(temperatures=4, most=4, leapfrog=2, start=start)(many)
        log_ratio = chains(1)[1][0] - exact if way == "there" else exact - chains.reversed(posterior, 1)[0]
    ratio = log_ratio.exp()
    assert abs(ratio.mean() - 1.0) < 4.5 * ratio.std() / 4000**0.5
    assert ratio.std() < 3.0


def test_annealing_refuses_a_random_density():
    digits = load("digits")
    observation = make_observation("dequantised:inner=normal", digits)
    model = VAE(StandardNormal(2), MLPDecoder(2, digits.event_shape, observation.outputs, (4,)), observation)
    guide = AmortisedNormal(MLPEncoder(digits.event_shape, 4, (4,)))
    with pytest.raises(UsageError, match="dequantisation adds; take the refined proposal"):
        log_likelihood(model, guide, digits.test[:3], 10, proposal=Annealed(), progress=False)


@pytest.mark.parametrize("proposal", [Amortised(), Refined(), Annealed(temperatures=5, most=20)], ids=lambda p: p.name)
def test_same_seed_same_numbers(linear_gaussian, proposal):
    problem = linear_gaussian()
    x = problem.draw(5)

    def run(seed):
        return log_likelihood(problem.model, problem.guide, x, 40, proposal=proposal, seed=seed, progress=False).weights

    first = run(1).estimate
    torch.manual_seed(7)
    assert np.array_equal(first, run(1).estimate)
    assert not np.isclose(first, run(2).estimate, atol=0, rtol=1e-12).all()


@pytest.mark.slow
def test_annealing_takes_more_temperatures_where_its_pilot_chains_disagree(linear_gaussian):
    problem = linear_gaussian(latent=2, features=5, sigma=0.1)  # posteriors a tenth as wide as the prior
    x = problem.draw(10)
    few, adapted = (
        log_likelihood(
            problem.model, problem.guide, x, 50, proposal=Annealed(temperatures=4, most=most), progress=False
        )
        for most in (4, 256)
    )
    assert (adapted.evaluations > few.evaluations).all()
    assert np.median(adapted.weights.ess) > 2 * np.median(few.weights.ess)
    error = adapted.weights.estimate - problem.log_marginal(x)
    assert np.abs(error / adapted.weights.standard_error).max() < 4.5
