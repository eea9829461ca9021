"""The importance-weighted likelihood: exactly K particles, bounded memory, seeds, refusals and totals."""

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro.nn import PyroModule
from torch import nn

from guides import AmortisedDelta, AmortisedNormal, MLPEncoder, make_guide
from inference import Amortised, Annealed, Refined, log_likelihood
from inference.proposals import Proposal
from model import (
    VAE,
    Bernoulli,
    MeasureMismatch,
    MLPDecoder,
    Normal,
    StandardNormal,
    UnnormalisedBernoulli,
    make_decoder,
)

ROOT = Path(__file__).parents[2]
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


@pytest.mark.parametrize(("features", "hidden"), [(400, (16,)), (4, (300, 300)), (20, (500,))])
@pytest.mark.parametrize("memory", [2**16, 2**20])
def test_no_layer_of_the_decoder_outgrows_the_memory(features, hidden, memory):
    model = VAE(StandardNormal(3), MLPDecoder(3, (features,), hidden=hidden), Normal(scale=1.0))
    guide = make_guide("normal", "mlp", (features,), 3, (8,))
    largest = []
    for module in model.decoder.modules():
        if isinstance(module, nn.Linear):
            module.register_forward_hook(lambda _, inputs, out: largest.append(out.numel() * out.element_size()))
    log_likelihood(model, guide, torch.randn(5, features), 300, memory=memory, progress=False)
    assert max(largest) <= memory


def test_no_layer_of_a_convolutional_decoder_outgrows_the_memory():
    decoder = make_decoder("conv", 3, (28, 28), 1, (64, 32))
    model = VAE(StandardNormal(3), decoder, Normal(scale=1.0))
    guide = make_guide("normal", "mlp", (28, 28), 3, (8,))
    memory, largest = 2**21, []
    for module in decoder.stages:
        module.register_forward_hook(lambda _, inputs, out: largest.append(out.numel() * out.element_size()))
    log_likelihood(model, guide, torch.randn(3, 28, 28), 200, memory=memory, progress=False)
    assert max(largest) <= memory


GROWTH = """
import resource, torch
from guides import make_guide
from inference import log_likelihood
from model import VAE, Categorical, MLPDecoder, Normal, StandardNormal

torch.set_num_threads(1)
observation = {observation}
decoder = MLPDecoder({latent}, ({features},), observation.outputs, hidden={hidden})
model = VAE(StandardNormal({latent}), decoder, observation)
guide = make_guide("normal", "mlp", ({features},), {latent}, (8,))
x = torch.randint(0, 2, (20, {features})).float()
log_likelihood(model, guide, x[:1], 30, memory=2**22, progress=False)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
log_likelihood(model, guide, x, {particles}, memory={memory}, progress=False)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("features", "hidden", "particles", "latent", "observation"),
    [
        (2000, (200,), 2000, 10, "Normal(scale=1.0)"),
        (4, (300, 300), 20_000, 10, "Normal(scale=1.0)"),
        (1, (), 500_000, 10, "Normal(scale=1.0)"),
        (2000, (), 1000, 100, "Normal(scale=1.0)"),
        (784, (100,), 500, 20, "Categorical(64)"),
    ],
    ids=["wide data", "wide layers", "many particles", "many latents", "many outputs"],
)
def test_peak_memory_grows_by_no_more_than_the_bound(features, hidden, particles, latent, observation):
    memory = 2**26
    program = GROWTH.format(
        features=features, hidden=hidden, particles=particles, latent=latent, observation=observation, memory=memory
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    # Twice the bound, for a process holds what its allocator and BLAS keep, too; all passes at once take over 450 MB.
    assert int(done.stdout) < 2 * memory


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
    with pytest.raises(ValueError, match="memory"):
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


@pytest.mark.parametrize("particles", [0, -3])
def test_fewer_than_one_particle_is_refused(linear_gaussian, particles):
    problem = linear_gaussian()
    with pytest.raises(ValueError, match=f"at least 1, but got {particles}"):
        log_likelihood(problem.model, problem.guide, problem.draw(5), particles)


def test_no_data_are_refused(linear_gaussian):
    problem = linear_gaussian()
    with pytest.raises(ValueError, match="with N ≥ 1"):
        log_likelihood(problem.model, problem.guide, problem.draw(5)[:0], 10)


def test_data_outside_the_support_are_refused():
    model = VAE(StandardNormal(2), MLPDecoder(2, (4,), hidden=()), Bernoulli())
    x = torch.ones(5, 4)
    x[3, 1] = 0.5
    with pytest.raises(ValueError, match=r"0 or 1, but found 0\.5 at datum 3"):
        log_likelihood(model, make_guide("normal", "mlp", (4,), 2, (4,)), x, 10)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_data_that_are_not_finite_are_refused(linear_gaussian, bad):
    problem = linear_gaussian()
    x = problem.draw(5)
    x[2, 0] = bad
    with pytest.raises(ValueError, match="at datum 2"):
        log_likelihood(problem.model, problem.guide, x, 10)


@pytest.mark.parametrize("shape", [(6, 1), (6, 5), (6,), (2, 6, 4)])
def test_data_of_another_shape_are_refused(linear_gaussian, shape):
    # (6, 1) would broadcast to four equal features, and give a number that means nothing
    problem = linear_gaussian()
    with pytest.raises(ValueError, match="shape"):
        log_likelihood(problem.model, problem.guide, torch.randn(shape), 10, progress=False)


def test_too_little_memory_is_refused(linear_gaussian):
    problem = linear_gaussian()
    with pytest.raises(ValueError, match=r"one datum needs \d+ bytes.* but memory=7; allow more, or take fewer"):
        log_likelihood(problem.model, problem.guide, problem.draw(5), 10, memory=7)
    # A particle at a time would fit, but not the log-weights of a million.
    with pytest.raises(ValueError, match=r"for 1000000 particles .* or take fewer particles"):
        log_likelihood(problem.model, problem.guide, problem.draw(5), 10**6, memory=10**7)


def test_a_point_mass_has_no_likelihood(linear_gaussian):
    problem = linear_gaussian()
    guide = AmortisedDelta(MLPEncoder((4,), 2, (8,)))
    with pytest.raises(ValueError, match="point mass on 'z'"):
        log_likelihood(problem.model, guide, problem.draw(5), 10, proposal=Amortised())


class Shaped(PyroModule):
    """A guide over z with a given distribution, in the plate or not."""

    def __init__(self, latent, events, plate):
        super().__init__()
        self.latent, self.events, self.plate = latent, events, plate
        self.unused = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        q = dist.Normal(torch.zeros(len(x), self.latent), 1.0).to_event(self.events)
        if not self.plate:
            return pyro.sample("z", q)
        with pyro.plate("data", len(x), dim=-1):
            return pyro.sample("z", q)


@pytest.mark.parametrize(
    ("guide", "words"),
    [
        (
            (3, 1, True),
            r"event shape \(3,\), but the model needs \(2,\) for 2 data, and \(2,\)",
        ),
        ((2, 2, False), r"batch shape \(\) and event shape \(2, 2\)"),
        ((2, 0, False), r"batch shape \(2, 2\) and event shape \(\)"),
    ],
    ids=["another size", "no plate", "no event"],
)
@pytest.mark.parametrize("proposal", [Amortised(), Refined()], ids=lambda p: p.name)
def test_latents_of_another_shape_are_refused(linear_gaussian, guide, words, proposal):
    problem = linear_gaussian()
    with pytest.raises(ValueError, match=words):
        log_likelihood(problem.model, Shaped(*guide), problem.draw(5), 10, proposal=proposal)


class OtherSite(PyroModule):
    def __init__(self, *names):
        super().__init__()
        self.names = names
        self.unused = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        with pyro.plate("data", len(x), dim=-1):
            for name in self.names:
                pyro.sample(name, dist.Normal(torch.zeros(2), 1.0).to_event(1))


@pytest.mark.parametrize("names", [(), ("w",), ("z", "w")])
def test_sites_that_are_not_the_models_are_refused(linear_gaussian, names):
    problem = linear_gaussian()
    with pytest.raises(ValueError, match=r"the guide samples \[.*\], but the model's latents are \['z'\]; both must"):
        log_likelihood(problem.model, OtherSite(*names), problem.draw(5), 10)


def test_an_unnormalised_loss_is_no_likelihood():
    model = VAE(StandardNormal(2), MLPDecoder(2, (4,), hidden=()), UnnormalisedBernoulli())
    with pytest.raises(MeasureMismatch):
        log_likelihood(model, make_guide("normal", "mlp", (4,), 2, (4,)), torch.rand(5, 4), 10)


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


@pytest.mark.parametrize("proposal", [Refined(), Annealed(temperatures=5)], ids=lambda p: p.name)
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
    found = log_likelihood(model, guide, x, 40, progress=False, keep_weights=len(x), memory=20_000)
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
