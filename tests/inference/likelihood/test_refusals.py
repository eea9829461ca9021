"""What the likelihood estimate refuses: data, guides and losses that it is not for."""

import pyro
import pyro.distributions as dist
import pytest
import torch

from obsvae.errors import UsageError
from obsvae.guides import AmortisedDelta, MLPEncoder, make_guide
from obsvae.inference import Amortised, Refined, log_likelihood
from obsvae.model import VAE, Bernoulli, MeasureMismatch, MLPDecoder, StandardNormal, UnnormalisedBernoulli
from tests.inference.parts import WithoutEncoder


@pytest.mark.parametrize("particles", [0, -3])
def test_fewer_than_one_particle_is_refused(linear_gaussian, particles):
    problem = linear_gaussian()
    with pytest.raises(UsageError, match=f"at least 1, but got {particles}"):
        log_likelihood(problem.model, problem.guide, problem.draw(5), particles)


def test_no_data_are_refused(linear_gaussian):
    problem = linear_gaussian()
    with pytest.raises(UsageError, match="with N ≥ 1"):
        log_likelihood(problem.model, problem.guide, problem.draw(5)[:0], 10)


def test_data_outside_the_support_are_refused():
    model = VAE(StandardNormal(2), MLPDecoder(2, (4,), hidden=()), Bernoulli())
    x = torch.ones(5, 4)
    x[3, 1] = 0.5
    with pytest.raises(UsageError, match=r"0 or 1, but found 0\.5 at datum 3"):
        log_likelihood(model, make_guide("normal", MLPEncoder, (4,), 2, (4,)), x, 10)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_data_that_are_not_finite_are_refused(linear_gaussian, bad):
    problem = linear_gaussian()
    x = problem.draw(5)
    x[2, 0] = bad
    with pytest.raises(UsageError, match="at datum 2"):
        log_likelihood(problem.model, problem.guide, x, 10)


@pytest.mark.parametrize("shape", [(6, 1), (6, 5), (6,), (2, 6, 4)])
def test_data_of_another_shape_are_refused(linear_gaussian, shape):
    # (6, 1) would broadcast to four equal features, and give a number that means nothing
    problem = linear_gaussian()
    with pytest.raises(UsageError, match="shape"):
        log_likelihood(problem.model, problem.guide, torch.randn(shape), 10, progress=False)


def test_a_point_mass_has_no_likelihood(linear_gaussian):
    problem = linear_gaussian()
    guide = AmortisedDelta(MLPEncoder((4,), 2, (8,)))
    with pytest.raises(UsageError, match="point mass on 'z'"):
        log_likelihood(problem.model, guide, problem.draw(5), 10, proposal=Amortised())


class Shaped(WithoutEncoder):
    """A guide over z with a given event shape, in the plate or not."""

    def __init__(self, latent, events, plate):
        super().__init__(latent)
        self.events, self.plate = events, plate

    def forward(self, x):
        q = dist.Normal(self.loc.float().expand(len(x), -1), 1.0).to_event(self.events)
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
    with pytest.raises(UsageError, match=words):
        log_likelihood(problem.model, Shaped(*guide), problem.draw(5), 10, proposal=proposal)


class OtherSite(WithoutEncoder):
    def __init__(self, *names):
        super().__init__(2)
        self.names = names

    def forward(self, x):
        with pyro.plate("data", len(x), dim=-1):
            for name in self.names:
                pyro.sample(name, dist.Normal(torch.zeros(2), 1.0).to_event(1))


@pytest.mark.parametrize("names", [(), ("w",), ("z", "w")])
def test_sites_that_are_not_the_models_are_refused(linear_gaussian, names):
    problem = linear_gaussian()
    with pytest.raises(UsageError, match=r"the guide samples \[.*\], but the model's latents are \['z'\]; both must"):
        log_likelihood(problem.model, OtherSite(*names), problem.draw(5), 10)


def test_an_unnormalised_loss_is_no_likelihood():
    model = VAE(StandardNormal(2), MLPDecoder(2, (4,), hidden=()), UnnormalisedBernoulli())
    with pytest.raises(MeasureMismatch):
        log_likelihood(model, make_guide("normal", MLPEncoder, (4,), 2, (4,)), torch.rand(5, 4), 10)
