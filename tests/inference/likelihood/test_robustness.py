"""Refined proposals and annealing where curvature, guide or decoder are not as they should be."""

import numpy as np
import pytest
import torch

from obsvae.errors import UsageError
from obsvae.guides import AmortisedNormal, MLPEncoder
from obsvae.inference import Amortised, Annealed, Refined, bidirectional, log_likelihood
from obsvae.model import VAE, Measure, MLPDecoder, Normal, StandardNormal
from tests.inference.parts import CauchyGuide, Mixture, StudentT
from tests.inference.quadrature import LIKELIHOODS, by_quadrature
from tests.model.cases import EVENT, make_case

PROPOSALS = [Amortised(), Refined(), Annealed(temperatures=20)]


def far_and_narrow(event_shape, latent, loc, scale):
    guide = AmortisedNormal(MLPEncoder(event_shape, 2 * latent, ())).double()
    with torch.no_grad():
        guide.encoder.layers[-1].weight.zero_()
        guide.encoder.layers[-1].bias[:latent] = loc
        guide.encoder.layers[-1].bias[latent:] = np.log(np.expm1(scale))
    return guide


@pytest.mark.parametrize("latent", [2, pytest.param(8, marks=pytest.mark.slow)])
def test_a_prior_that_is_not_log_concave_costs_no_datum_its_estimate(latent):
    torch.manual_seed(0)
    model = VAE(StudentT(latent), MLPDecoder(latent, (5,), 1, (16,)), Normal(scale=1.0)).double()
    guide = AmortisedNormal(MLPEncoder((5,), 2 * latent, ())).double()
    with torch.no_grad():
        x = model(n=60)
    refined = log_likelihood(model, guide, x, 2000, progress=False).weights
    assert refined.usable.all()
    plain = log_likelihood(model, guide, x, 20_000, proposal=Annealed(temperatures=1, start=None), progress=False)
    error = np.hypot(refined.standard_error, plain.weights.standard_error)
    assert np.abs((refined.estimate - plain.weights.estimate) / error).max() < 5.0


def test_a_climb_that_starts_at_a_saddle_leaves_it():
    torch.manual_seed(1)
    model = VAE(Mixture(), MLPDecoder(1, (5,), 1, (6,)), Normal(scale=1.0)).double()
    with torch.no_grad():
        x = model(n=10)
    guide = far_and_narrow((5,), 1, 0.0, 0.05)
    found = log_likelihood(model, guide, x, 5000, proposal=Refined(starts=12), progress=False).weights
    assert found.usable.all()
    assert np.abs(found.estimate - by_quadrature(model, x)).max() < 0.1


def test_a_guide_without_any_moments():
    torch.manual_seed(1)
    model = VAE(StandardNormal(1), MLPDecoder(1, (5,), 1, (6,)), Normal(scale=0.5)).double()
    with torch.no_grad():
        x = model(n=10)
    found = log_likelihood(model, CauchyGuide(1), x, 3000, progress=False).weights
    assert np.abs(found.estimate - by_quadrature(model, x)).max() < 0.05


def test_a_decoder_that_overflows_where_the_guide_points_to():
    class Overflowing(MLPDecoder):
        def forward(self, z):
            return super().forward(z) + torch.where(z.sum(-1) > 50, torch.inf, 0.0)[..., None, None]

    torch.manual_seed(1)
    model = VAE(StandardNormal(1), Overflowing(1, (5,), 1, (6,)), Normal(scale=0.5)).double()
    with torch.no_grad():
        x = model(n=10)
    guide = far_and_narrow((5,), 1, 60.0, 0.5)
    found = log_likelihood(model, guide, x, 3000, proposal=Refined(rounds=4), progress=False).weights
    assert found.usable.all()


@pytest.mark.parametrize(
    ("proposal", "K"), [(Refined(), 20_000), pytest.param(Annealed(temperatures=60), 300, marks=pytest.mark.slow)]
)
def test_a_guide_that_is_far_off_and_sure_of_itself(linear_gaussian, proposal, K):
    problem = linear_gaussian(dtype=torch.float64)
    x = problem.draw(20)
    guide = far_and_narrow((4,), 2, 300.0, 1e-3)
    found = log_likelihood(problem.model, guide, x, K, proposal=proposal, progress=False).weights
    error = found.estimate - problem.log_marginal(x)
    assert np.abs(error / found.standard_error.clip(min=1e-3)).max() < 4.5
    assert np.abs(error).max() < 0.1


@pytest.mark.parametrize("spec", LIKELIHOODS)
def test_simulated_data_of_every_family_in_single_precision(spec):
    case = make_case(spec, "own")
    torch.manual_seed(0)
    decoder = MLPDecoder(2, EVENT, case.observation.outputs, hidden=(8,))
    model = VAE(StandardNormal(2), decoder, case.observation).float()
    guide = AmortisedNormal(MLPEncoder(EVENT, 4, ()))
    assert model.observation.measure is not Measure.NONE
    if model.observation.is_bound:
        with pytest.raises(UsageError, match="without noise of its own"):
            bidirectional(model, guide, 3, 4, proposal=Annealed(temperatures=3), progress=False)
        return
    found = bidirectional(model, guide, 3, 4, proposal=Annealed(temperatures=3), progress=False)
    assert found.x.dtype == torch.float32
    assert np.isfinite(found.bounds()).all()
    weights = log_likelihood(model, guide, found.x, 50, progress=False).weights
    assert weights.usable.all()


def test_whole_numbers_are_taken_as_they_are():
    torch.manual_seed(0)
    model = VAE(StandardNormal(2), MLPDecoder(2, (4,), 1, (8,)), Normal(scale=10.0))
    guide = AmortisedNormal(MLPEncoder((4,), 4, ()))
    x = torch.randint(0, 200, (5, 4), dtype=torch.uint8)
    whole, real = (log_likelihood(model, guide, data, 100, progress=False).weights.estimate for data in (x, x.float()))
    assert np.isfinite(whole).all()
    np.testing.assert_allclose(whole, real, rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Refined(starts=0), "starts needs to be a whole number of at least 1, but got 0"),
        (lambda: Refined(pilot=0), "pilot needs to be a whole number of at least 1"),
        (lambda: Refined(rounds=-1), "rounds needs to be a whole number of at least 0"),
        (lambda: Annealed(temperatures=0), "temperatures needs to be a whole number of at least 1"),
        (lambda: Annealed(pilot=1), "pilot needs to be a whole number of at least 2"),
    ],
)
def test_settings_that_make_no_sense(make, words):
    with pytest.raises(UsageError, match=words):
        make()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("proposal", PROPOSALS, ids=lambda p: p.name)
def test_on_the_gpu(linear_gaussian, proposal):
    problem = linear_gaussian()
    x = problem.draw(20)
    exact = problem.log_marginal(x)
    problem.model.to("cuda")
    problem.guide.to("cuda")
    found = log_likelihood(problem.model, problem.guide, x.to("cuda"), 2000, proposal=proposal, progress=False).weights
    assert np.abs((found.estimate - exact) / found.standard_error).max() < 5.0
    if isinstance(proposal, Annealed):
        lower, upper = bidirectional(problem.model, problem.guide, 5, 8, proposal=proposal, progress=False).bounds()
        assert np.abs(upper - lower).max() < 1.0
