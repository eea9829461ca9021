"""The importance-weighted likelihood: exactly K particles, bounded memory, seeds, refusals and totals."""

import random

import numpy as np
import pyro
import pytest
import torch

from obsvae.errors import UsageError
from obsvae.guides import AmortisedNormal, MLPEncoder
from obsvae.inference import Amortised, Annealed, Refined, log_likelihood
from obsvae.inference.likelihood.proposals.base import Proposal
from obsvae.model import (
    VAE,
    MLPDecoder,
    Normal,
    StandardNormal,
)

KEYS = {
    "nats_per_datum",
    "standard_error",
    "bits_per_dim",
    "mean_log_weight",
    "particles",
    "n",
    "ess_median",
    "khat_median",
    "khat_above_0.7",
    "smoothed",
    "jackknife",
    "evaluations",
    "unusable",
    "flagged",
}


@pytest.mark.parametrize("particles", [1, 2, 7, 26, 100])
@pytest.mark.parametrize("memory", [2**15, 2**16, 2**24])
def test_exactly_as_many_particles_as_asked_for(linear_gaussian, particles, memory):
    problem = linear_gaussian()
    x = problem.draw(11)
    drawn = torch.zeros(len(x), dtype=torch.int)

    def record(batch, z):
        assert z.shape[1:] == (len(batch), 2)
        drawn[[(x == datum).all(1).nonzero().item() for datum in batch]] += z.shape[0]

    found = log_likelihood(
        problem.model,
        problem.guide,
        x,
        particles,
        proposal=problem.proposal(1.2, record),
        memory=memory,
        keep_weights=len(x),
        keep_particles=len(x),
        progress=False,
    )
    assert (drawn == particles).all()
    assert found.log_weights.shape == (particles, len(x))
    assert found.z.shape == (particles, len(x), 2)
    assert found.particles == particles
    assert (found.evaluations == particles).all()
    for values in (found.weights.estimate, found.weights.standard_error, found.weights.ess, found.weights.khat):
        assert values.shape == (len(x),)
    # The diagnostics are those of the very weights, whatever the chunks.
    np.testing.assert_allclose(
        found.weights.estimate, np.log(np.exp(found.log_weights).mean(0)), rtol=1e-6, err_msg="chunks were mixed up"
    )
    # A near-exact proposal: an estimate in the wrong place would be nats away.
    assert np.abs(found.weights.estimate - problem.log_marginal(x)).max() < 1


def test_same_seed_same_numbers(linear_gaussian):
    problem = linear_gaussian()
    x = problem.draw(9)

    def run(seed, **options):
        return log_likelihood(
            problem.model, problem.guide, x, 50, seed=seed, keep_weights=len(x), progress=False, **options
        ).log_weights

    first = run(3)
    torch.manual_seed(99)
    assert np.array_equal(first, run(3))
    assert np.array_equal(run(3, memory=2**15), run(3, memory=2**15))
    assert np.isclose(first, run(4)).mean() < 0.02


def test_the_callers_random_state_is_left_alone(linear_gaussian):
    problem = linear_gaussian()
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    log_likelihood(problem.model, problem.guide, problem.draw(5), 30, progress=False)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002
    assert before[2] == random.getstate()


def test_the_random_state_is_put_back_after_an_error(linear_gaussian):
    problem = linear_gaussian()
    before = torch.get_rng_state()
    with pytest.raises(UsageError, match="memory"):
        log_likelihood(problem.model, problem.guide, problem.draw(5), 30, memory=1, progress=False)
    assert torch.equal(before, torch.get_rng_state())
    assert problem.model.training


def test_one_particle(linear_gaussian):
    problem = linear_gaussian()
    found = log_likelihood(problem.model, problem.guide, problem.draw(6), 1, keep_weights=6, progress=False)
    assert np.isnan(found.weights.standard_error).all()
    assert np.isnan(found.weights.khat).all()
    np.testing.assert_allclose(found.weights.ess, 1)
    np.testing.assert_allclose(found.weights.estimate, found.log_weights[0])
    np.testing.assert_allclose(found.mean_log_weight, found.log_weights[0])
    summary = found.summary()
    assert np.isnan(summary["khat_median"])
    assert np.isnan(summary["khat_above_0.7"])
    assert np.isfinite(summary["standard_error"])


class Spoiled(Proposal):
    """Draws of a proposal, but for data beyond 100, which are sent to a place without a usable weight."""

    name = "spoiled"

    def __init__(self, value):
        self.value = value

    def __call__(self, joint):
        sampler = Amortised()(joint)

        def draw(k):
            z, _ = sampler(k)
            z = torch.where(joint.x[:, :1] > 100, self.value, z)
            return z, joint.log_prob(z) - joint.proposed.log_prob(z)

        draw.spent, draw.evaluations = sampler.spent, 1
        return draw


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
@pytest.mark.parametrize("memory", [2**26, 2**15], ids=["all at once", "few at a time"])
def test_a_datum_without_usable_weights_costs_no_other_its_number(linear_gaussian, value, memory):
    problem = linear_gaussian()
    x = problem.draw(60)
    x[41, 0] = 1000.0
    options = {"particles": 40, "memory": memory, "seed": 1, "progress": False}
    found = log_likelihood(problem.model, problem.guide, x, proposal=Spoiled(value), **options)
    others = np.arange(60) != 41
    assert not found.weights.usable[41]
    assert found.weights.flagged[41]
    assert found.weights.usable[others].all()
    summary = found.summary()
    assert summary["unusable"] == 1
    assert summary["n"] == 60
    assert summary["nats_per_datum"] == pytest.approx(found.weights.estimate[others].mean())


@pytest.mark.parametrize(
    "proposal",
    [Refined(), pytest.param(Annealed(temperatures=5, most=20), marks=pytest.mark.slow)],
    ids=["refined", "ais"],
)
def test_an_impossible_datum_costs_no_other_its_number(linear_gaussian, proposal):
    problem = linear_gaussian()
    x = problem.draw(6)
    alone = log_likelihood(problem.model, problem.guide, x, 200, proposal=proposal, progress=False).weights
    x[3, 0] = 1e25  # its log-density overflows
    found = log_likelihood(problem.model, problem.guide, x, 200, proposal=proposal, progress=False).weights
    others = np.arange(6) != 3
    assert not found.usable[3]
    error = np.hypot(found.standard_error, alone.standard_error)[others]
    assert np.abs((found.estimate - alone.estimate)[others] / error.clip(min=1e-3)).max() < 5.0


def test_training_modes_are_put_back(linear_gaussian):
    problem = linear_gaussian()
    seen = []
    problem.model.decoder.register_forward_hook(lambda module, inputs, out: seen.append(module.training))
    for modes in [(True, False), (False, True), (True, True), (False, False)]:
        problem.model.train(modes[0])
        problem.guide.train(modes[1])
        log_likelihood(problem.model, problem.guide, problem.draw(5), 3, progress=False)
        assert (problem.model.training, problem.guide.training) == modes
        assert (problem.model.decoder.training, problem.guide.encoder.training) == modes
    assert not any(seen)


def test_a_part_that_was_frozen_in_evaluation_mode_stays_so(linear_gaussian):
    problem = linear_gaussian()
    problem.model.train()
    problem.model.decoder.eval()
    log_likelihood(problem.model, problem.guide, problem.draw(5), 3, progress=False)
    assert problem.model.training
    assert not problem.model.decoder.training


def test_validation_and_gradients_are_put_back(linear_gaussian):
    problem = linear_gaussian()
    before = pyro.settings.get()
    log_likelihood(problem.model, problem.guide, problem.draw(5), 3, progress=False)
    assert pyro.settings.get() == before
    assert torch.is_grad_enabled()
    assert not list(pyro.get_param_store())


def test_refined_is_the_default_proposal(linear_gaussian):
    problem = linear_gaussian()
    x = problem.draw(5)
    one = log_likelihood(problem.model, problem.guide, x, 30, keep_weights=len(x), progress=False)
    other = log_likelihood(problem.model, problem.guide, x, 30, keep_weights=len(x), progress=False, proposal=Refined())
    assert np.array_equal(one.log_weights, other.log_weights)
    assert one.proposal == "refined"
    assert log_likelihood(problem.model, problem.guide, x, 30, progress=False).log_weights is None


def test_images_with_channels():
    shape = (2, 3, 4)
    model = VAE(StandardNormal(2), MLPDecoder(2, shape, hidden=()), Normal(scale=1.0))
    guide = AmortisedNormal(MLPEncoder(shape, 4, ()))
    x = torch.randn(7, *shape)
    found = log_likelihood(model, guide, x, 40, progress=False, keep_weights=len(x), memory=30_000)
    assert found.features == 24
    assert found.log_weights.shape == (40, 7)


def test_summary_by_hand(linear_gaussian):
    problem = linear_gaussian()
    found = log_likelihood(
        problem.model, problem.guide, problem.draw(30), 100, proposal=Amortised(), keep_weights=30, progress=False
    )
    summary = found.summary()
    assert set(summary) == KEYS
    w = np.exp(found.log_weights)
    estimate = np.log(w.mean(0))
    ess = w.sum(0) ** 2 / (w**2).sum(0)
    assert summary["nats_per_datum"] == pytest.approx(estimate.mean())
    assert summary["standard_error"] == pytest.approx(np.sqrt(((estimate - estimate.mean()) ** 2).sum() / 29 / 30))
    assert summary["bits_per_dim"] == pytest.approx(-estimate.mean() / np.log(2) / 4)
    assert summary["mean_log_weight"] == pytest.approx(found.log_weights.mean())
    assert summary["particles"] == summary["evaluations"] == 100
    assert summary["unusable"] == 0
    assert summary["flagged"] == pytest.approx(np.mean((found.weights.khat > 0.7) | (found.weights.ess < 10)))
    assert summary["n"] == 30
    assert summary["ess_median"] == pytest.approx(np.median(ess))
    assert summary["khat_median"] == pytest.approx(np.median(found.weights.khat))
    assert summary["khat_above_0.7"] == pytest.approx(np.mean(found.weights.khat > 0.7))
    assert 0 < summary["khat_above_0.7"] < 1  # else the line above shows little
    assert summary["mean_log_weight"] < summary["nats_per_datum"]


def test_summary_of_one_datum_has_no_standard_error(linear_gaussian):
    problem = linear_gaussian()
    summary = log_likelihood(problem.model, problem.guide, problem.draw(1), 30, progress=False).summary()
    assert np.isnan(summary["standard_error"])
    assert np.isfinite(summary["nats_per_datum"])


@pytest.mark.parametrize("keep", [12, 7, 0])
def test_first(linear_gaussian, keep):
    problem = linear_gaussian()
    found = log_likelihood(problem.model, problem.guide, problem.draw(12), 40, keep_weights=keep, progress=False)
    first = found.first(5)
    assert np.array_equal(first.mean_log_weight, found.mean_log_weight[:5])
    for name in ("estimate", "standard_error", "ess", "khat"):
        assert np.array_equal(getattr(first.weights, name), getattr(found.weights, name)[:5])
    assert (first.particles, first.features) == (40, 4)
    assert first.summary()["n"] == 5
    assert first.summary()["nats_per_datum"] == pytest.approx(found.weights.estimate[:5].mean())
    if keep:
        assert np.array_equal(first.log_weights, found.log_weights[:, :5])
    else:
        assert first.log_weights is None
