"""Contracts of model/guide pairs that are checked before any training, and guides and priors of other kinds."""

import numpy as np
import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro.distributions import transforms
from pyro.infer import Trace_ELBO
from pyro.nn import PyroModule
from torch import nn

from obsvae import (
    VAE,
    Amortised,
    AmortisedNormal,
    Callback,
    Guide,
    MLPDecoder,
    MLPEncoder,
    Normal,
    Prior,
    Refined,
    StandardNormal,
    UsageError,
    elbo,
    fit,
    log_likelihood,
    make_guide,
    posterior_means,
    reproduce,
    reproductions,
)
from obsvae.inference import posterior

LATENT, FEATURES = 2, 4


def pair(guide=None, prior=None):
    torch.manual_seed(0)
    model = VAE(prior or StandardNormal(LATENT), MLPDecoder(LATENT, (FEATURES,), hidden=()), Normal(scale=0.5))
    return model, guide or make_guide("normal", MLPEncoder, (FEATURES,), LATENT, (8,))


@pytest.fixture
def data(linear_gaussian, tensors):
    source = linear_gaussian(latent=LATENT, features=FEATURES)
    return tensors(source.draw(60), source.draw(30, 1))


class TwoSites(VAE):
    """A model with a further latent site."""

    def forward(self, x=None, c=None, *, n=1):
        with pyro.plate("more", n if x is None else len(x), dim=-1):
            pyro.sample("w", dist.Normal(0.0, 1.0))
        return super().forward(x, c, n=n)


def test_fit_and_log_likelihood_refuse_two_latent_sites_in_the_same_words(data):
    model, guide = pair()
    two = TwoSites(model.prior, model.decoder, model.observation)
    said = []
    for attempt in (lambda: fit(two, guide, data, progress=False), lambda: log_likelihood(two, guide, data.train)):
        with pytest.raises(
            UsageError, match=r"the guide samples \['z'\], but the model's latents are \['w', 'z'\]"
        ) as why:
            attempt()
        said.append(str(why.value))
    assert said[0] == said[1]
    assert not two.initialised


class Bare(PyroModule):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(()))

    def given(self, x):
        return dist.Normal(torch.zeros(len(x), LATENT), self.scale.exp()).to_event(1)


def test_a_program_that_is_no_guide_is_told_what_it_lacks(data):
    model, _ = pair()
    for attempt in (lambda: fit(model, Bare(), data), lambda: log_likelihood(model, Bare(), data.train)):
        with pytest.raises(UsageError, match=r"Bare lacks has_density, initialised, .*derive it from obsvae\.Guide"):
            attempt()


class Pointed(Guide):
    """A point mass that does not say so."""

    @staticmethod
    def outputs(latent):
        return latent

    def given(self, x, c=None):
        return dist.Delta(self.encoder(x, c)).to_event(1)


def test_a_point_mass_that_does_not_say_so_is_refused(data):
    model, guide = pair(Pointed(MLPEncoder((FEATURES,), LATENT, (8,))))
    for attempt in (lambda: fit(model, guide, data), lambda: log_likelihood(model, guide, data.train)):
        with pytest.raises(UsageError, match="'z' is of type Delta; set has_density = False"):
            attempt()


def test_an_encoder_of_another_shape_is_refused_before_training(data):
    model, _ = pair()
    with pytest.raises(UsageError, match=r"the encoder was built for data of shape \(6,\), but got \(4,\)"):
        fit(model, make_guide("normal", MLPEncoder, (6,), LATENT, (8,)), data, progress=False)


class Planar(Guide):
    """A flow that knows the density of its own draws alone."""

    def __init__(self, encoder):
        super().__init__(encoder)
        self.flow = dist.transforms.planar(LATENT)

    @staticmethod
    def outputs(latent):
        return 2 * latent

    def given(self, x, c=None):
        loc, raw = self.encoder(x, c).chunk(2, -1)
        base = dist.Normal(loc, torch.nn.functional.softplus(raw)).to_event(1)
        return dist.TransformedDistribution(base, [self.flow])


def test_a_flow_without_an_inverse_trains_and_is_scored_by_both_proposals(data):
    model, guide = pair(Planar(MLPEncoder((FEATURES,), 2 * LATENT, (8,))))
    fit(model, guide, data, epochs=2, progress=False, objective=Trace_ELBO())
    exact = log_likelihood(model, make_guide("normal", MLPEncoder, (FEATURES,), LATENT, (8,)), data.validation, 2000)
    refined, amortised = (
        log_likelihood(model, guide, data.validation, 2000, proposal=proposal, progress=False).weights
        for proposal in (Refined(), Amortised())
    )
    np.testing.assert_allclose(refined.estimate, exact.weights.estimate, atol=0.1)
    good = amortised.khat < 0.5
    assert good.any()
    np.testing.assert_allclose(amortised.estimate[good], exact.weights.estimate[good], atol=0.3)


class Flow(Guide):
    """A guide whose mean has no closed form: exp of a Normal, elementwise."""

    @staticmethod
    def outputs(latent):
        return 2 * latent

    def given(self, x, c=None):
        loc, raw = self.encoder(x, c).chunk(2, -1)
        base = dist.Normal(loc, torch.nn.functional.softplus(raw))
        return dist.TransformedDistribution(base, [transforms.ExpTransform()]).to_event(1)


def test_a_guide_without_a_mean_is_located_by_its_draws(data):
    model, guide = pair(Flow(MLPEncoder((FEATURES,), 2 * LATENT, (8,))))
    fit(model, guide, data, epochs=2, progress=False)
    x = data.validation[:7]
    with pytest.raises(NotImplementedError), torch.no_grad():
        _ = posterior(guide, x).mean
    before = torch.get_rng_state()
    means = posterior_means(guide, x)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(means, posterior_means(guide, x))  # the seed is an argument
    assert not torch.equal(means, posterior_means(guide, x, seed=1))
    with torch.no_grad():
        median = guide.encoder(x).chunk(2, -1)[0].exp()
        spread = posterior(guide, x).sample((1000,)).std(0)
    assert ((means - median).abs() < spread).all()
    assert reproduce(model, guide, x).shape == x.shape
    assert set(reproductions(model, guide, x)) == {"mean", "sample"}


class Vamp(Prior):
    """A prior that shares the guide's encoder: a mixture of its posteriors at pseudo-inputs."""

    def __init__(self, latent, guide, inputs):
        super().__init__(latent)
        self.encoder, self.floor = guide.encoder, guide.floor
        self.inputs = nn.Parameter(inputs)

    def forward(self):
        loc, raw = self.encoder(self.inputs).chunk(2, -1)
        parts = dist.Normal(loc, self.floor + torch.nn.functional.softplus(raw)).to_event(1)
        return dist.MixtureSameFamily(dist.Categorical(logits=loc.new_zeros(len(loc))), parts)


def test_a_prior_that_shares_the_encoder_trains_and_is_scored(data):
    guide = make_guide("normal", MLPEncoder, (FEATURES,), LATENT, (8,))
    model, guide = pair(guide, Vamp(LATENT, guide, data.train[:5].clone()))
    history = fit(model, guide, data, epochs=3, lr=1e-2, progress=False)
    assert history.best.validation_elbo > history.epochs[0].validation_elbo
    assert model.prior.encoder is guide.encoder
    found = log_likelihood(model, guide, data.validation, 500, progress=False)
    lower = elbo(model, guide, data.validation)
    assert (found.weights.estimate - lower).mean() > -0.01


def test_a_pair_starts_from_the_data_once_and_a_second_fit_goes_on(data):
    model, guide = pair()
    assert not model.initialised
    assert not guide.initialised
    first = fit(model, guide, data, epochs=10, lr=1e-2, progress=False)
    assert model.initialised
    assert guide.initialised
    second = fit(model, guide, data, epochs=1, lr=1e-6, progress=False)
    assert second.epochs[0].validation_elbo == pytest.approx(first.best.validation_elbo, abs=0.02)
    other, twin = pair()
    other.load_state_dict(model.state_dict())
    twin.load_state_dict(guide.state_dict())
    assert other.initialised
    assert twin.initialised


class Told(Callback):
    def __init__(self):
        self.events = []

    def on_start(self, model, guide):
        assert model.initialised
        self.events.append("start")

    def on_epoch(self, history):
        self.events.append(len(history))

    def on_end(self, history):
        self.events.append(history.stopped)


def test_callbacks_are_told_after_the_checks_after_each_epoch_and_at_the_end(data):
    told = Told()
    fit(*pair(), data, epochs=2, progress=False, callbacks=[told])
    assert told.events == ["start", 1, 2, "finished"]
    told = Told()
    data.validation[3, 1] = torch.nan
    with pytest.raises(UsageError):
        fit(*pair(), data, epochs=2, progress=False, callbacks=[told])
    assert told.events == []


def test_callbacks_are_told_the_end_of_a_training_that_diverges_or_is_interrupted(data):
    told = Told()
    with pytest.raises(ArithmeticError):
        fit(*pair(), data, epochs=2, lr=1e30, progress=False, callbacks=[told])
    assert told.events[0] == "start"
    assert told.events[-1].startswith("diverged")

    class Stop(Told):
        def on_epoch(self, history):
            super().on_epoch(history)
            raise KeyboardInterrupt

    told = Stop()
    fit(*pair(), data, epochs=5, progress=False, callbacks=[told])
    assert told.events == ["start", 1, "interrupted"]


def test_the_elbo_is_that_of_the_guide_and_meets_the_closed_form(linear_gaussian):
    problem = linear_gaussian(latent=1, features=3)
    _, covariance = problem.posterior(problem.draw(1))
    guide = AmortisedNormal(MLPEncoder((3,), 2, ()))
    x = problem.draw(20)
    with torch.no_grad():  # a guide that is the exact posterior: its ELBO is log p(x)
        slope = problem.W.T.float() * covariance.float() / problem.sigma**2
        linear = guide.encoder.layers[0]
        linear.weight.copy_(torch.cat([slope, torch.zeros(1, 3)]))
        offset = -(slope @ problem.b.float())
        raw = torch.log(torch.expm1(covariance.float().sqrt().flatten() - guide.floor))
        linear.bias.copy_(torch.cat([offset, raw]))
    exact = problem.log_marginal(x)
    np.testing.assert_allclose(elbo(problem.model, guide, x, 5), exact, atol=1e-3)
    poor = elbo(problem.model, problem.guide, x, 200)
    refined = log_likelihood(problem.model, problem.guide, x, 200, proposal=Refined(), progress=False)
    assert (poor < refined.weights.estimate).mean() > 0.9


def test_a_point_mass_has_no_elbo(linear_gaussian):
    problem = linear_gaussian()
    guide = make_guide("delta", MLPEncoder, (4,), 2, (8,))
    with pytest.raises(UsageError, match="has no ELBO; train with a guide that has a density"):
        elbo(problem.model, guide, problem.draw(5))
