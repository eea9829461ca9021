"""The Pyro model: its sites and plates, its start, and models side by side."""

import math
from types import SimpleNamespace

import pyro
import pytest
import torch
from pyro import poutine

from obsvae.errors import UsageError
from obsvae.model import VAE, ConvDecoder, MLPDecoder, Normal, StandardNormal, make_observation

LATENT, EVENT, N, K = 3, (2, 4), 5, 7


def build(spec="continuous-bernoulli", event=EVENT, data=None, decoder=MLPDecoder, hidden=(8,)):
    observation = make_observation(spec, data)
    return VAE(StandardNormal(LATENT), decoder(LATENT, event, observation.outputs, hidden), observation)


SPECS = ["bernoulli", "continuous-bernoulli", "normal", "normal:scale=decoder", "categorical:categories=5"]


def draws(spec, *batch, seed=0):
    u = torch.rand(*batch, *EVENT, generator=torch.Generator().manual_seed(seed))
    return u if "normal" in spec or "continuous" in spec else u.round()


@pytest.mark.parametrize("spec", [*SPECS, "unnormalised-bernoulli", "normal:scale=optimal"])
def test_sites_and_plates(spec):
    model, x = build(spec), draws(spec, N)
    trace = poutine.trace(model).get_trace(x)
    trace.compute_log_prob()
    assert [key for key, site in trace.nodes.items() if site["type"] == "sample"] == ["data", "z", "x"]
    z, site = trace.nodes["z"], trace.nodes["x"]
    assert z["value"].shape == (N, LATENT)
    assert not z["is_observed"]
    assert site["is_observed"]
    assert site["value"] is x
    for node in (z, site):
        assert [(frame.name, frame.dim, frame.size) for frame in node["cond_indep_stack"]] == [("data", -1, N)]
        assert node["log_prob"].shape == (N,)
    eta = model.decoder(z["value"])
    torch.testing.assert_close(site["log_prob"], model.observation(eta).log_prob(x).sum((1, 2)))
    prior = -0.5 * z["value"].square().sum(-1) - LATENT / 2 * math.log(2 * math.pi)
    torch.testing.assert_close(z["log_prob"], prior)


@pytest.mark.parametrize("spec", SPECS)
def test_draws_data_where_none_are_given(spec):
    model = build(spec)
    pyro.set_rng_seed(0)
    x = model(n=N)
    assert x.shape == (N, *EVENT)
    model.observation.check(x)
    assert not torch.equal(x, model(n=N))
    assert model().shape == (1, *EVENT)
    pyro.set_rng_seed(0)
    assert torch.equal(model(n=N), x)


def test_draws_are_in_data_units(data_stub):
    model = build("continuous-bernoulli", data=data_stub(bounds=(100.0, 355.0)))
    x = model(n=200)
    assert 100 <= x.min() < 110
    assert 345 < x.max() <= 355


@pytest.mark.parametrize("decoder", [MLPDecoder, ConvDecoder])
@pytest.mark.parametrize("spec", SPECS)
def test_particles_in_an_outer_plate(spec, decoder):
    model, x = build(spec, decoder=decoder), draws(spec, N)

    def particles():
        with pyro.plate("particles", K, dim=-2):
            return model(x)

    trace = poutine.trace(particles).get_trace()
    trace.compute_log_prob()
    z = trace.nodes["z"]["value"]
    assert z.shape == (K, N, LATENT)
    assert trace.nodes["z"]["log_prob"].shape == trace.nodes["x"]["log_prob"].shape == (K, N)
    for k in (0, K - 1):
        expected = model.observation(model.decoder(z[k])).log_prob(x).sum((1, 2))
        torch.testing.assert_close(trace.nodes["x"]["log_prob"][k], expected, rtol=1e-5, atol=1e-5)


def test_wrong_data_are_not_scored():
    trace = poutine.trace(build("continuous-bernoulli")).get_trace(torch.full((N, *EVENT), 1.5))
    with pytest.raises(ValueError, match="support"):
        trace.log_prob_sum()


def test_decoder_and_observation_must_fit():
    with pytest.raises(UsageError, match=r"normal takes 2 outputs per feature, but the decoder gives 1.*outputs=2"):
        VAE(StandardNormal(LATENT), MLPDecoder(LATENT, EVENT, 1), Normal(scale="decoder"))


def test_check_refuses_another_shape_no_data_and_data_outside_the_support():
    model = build("continuous-bernoulli")
    x = torch.rand(N, *EVENT)
    model.check(x)
    for shape in ((N, 4, 2), (N, 1, 4), (0, *EVENT)):
        with pytest.raises(UsageError, match=r"data of shape \(N, 2, 4\) with N ≥ 1, but got") as caught:
            model.check(torch.rand(shape))
        assert str(shape) in str(caught.value)
    x[3, 1, 0] = 2.0
    with pytest.raises(UsageError, match=r"found 2 at datum 3, feature \(1, 0\) \(counted from 0\)"):
        model.check(x)
    with pytest.raises(UsageError, match=r"found 2 at datum 103, feature \(1, 0\)"):
        model.check(x, rows=100 + torch.arange(N))


def test_one_door_gives_the_prior_the_distribution_of_x_and_its_mean():
    model, z = build("normal:scale=decoder"), torch.randn(7, N, LATENT)
    eta = model.decode(z)
    assert torch.equal(eta, model.decoder(z))
    assert model.event_shape == EVENT
    for p_x in (model.given(z), model.observe(eta)):
        assert p_x.batch_shape == (7, N, *EVENT)
        assert torch.equal(p_x.mean, model.observation(eta).mean)
    assert torch.equal(model.mean(z), model.observation.mean(eta))
    assert model.parameter(z) is None
    sigmoid = build("continuous-bernoulli")
    torch.testing.assert_close(sigmoid.parameter(z), torch.sigmoid(sigmoid.decode(z)[..., 0]))


@pytest.mark.parametrize("decoder", [MLPDecoder, ConvDecoder])
def test_initialise_starts_from_the_mean_of_the_data(decoder):
    x = 40 + 3 * torch.randn(500, *EVENT) + torch.arange(8.0).reshape(EVENT)
    model = build("normal", decoder=decoder)
    assert not model.initialised
    model.initialise(x)
    assert model.initialised
    assert all(parameter.requires_grad for parameter in model.parameters())
    eta = model.decoder(torch.randn(2000, LATENT)).detach()
    # An untrained network adds little to its bias.
    off = (model.observation.mean(eta).mean(0) - x.mean(0)).abs().max()
    assert off < 2 * x.std()
    bias = model.decoder.head.bias if decoder is MLPDecoder else model.decoder.bias
    torch.testing.assert_close(model.observation.mean(bias.detach().reshape(*EVENT, 1)), x.mean(0))


def test_models_side_by_side_share_nothing():
    pyro.clear_param_store()
    first, second = (
        build("normal"),
        build(
            "normal:scale=per-feature",
            data=SimpleNamespace(
                event_shape=EVENT,
                unit_shape=(),
                has_missing=False,
                columns=None,
                bounds=None,
                grid=None,
                scaling=SimpleNamespace(offset=torch.tensor(0.0), scale=torch.tensor(1.0)),
            ),
        ),
    )
    x = torch.randn(N, *EVENT)
    for model in (first, second):
        model(x)
        model(n=2)
        poutine.trace(model).get_trace(x)
    assert len(pyro.get_param_store()) == 0
    owned = [{parameter.data_ptr() for parameter in model.parameters()} for model in (first, second)]
    assert not owned[0] & owned[1]
    before = [parameter.clone() for parameter in second.parameters()]
    with torch.no_grad():
        for parameter in first.parameters():
            parameter.add_(1.0)
    first(x)
    assert all(torch.equal(a, b) for a, b in zip(second.parameters(), before, strict=True))
    assert len(list(first.parameters())) == len({id(parameter) for parameter in first.parameters()})


def test_weights_restore_the_model():
    first, second = build("normal:scale=optimal"), build("normal:scale=optimal")
    first.initialise(30 + 4 * torch.randn(50, *EVENT))
    second.load_state_dict(first.state_dict())
    assert second.initialised
    z = torch.randn(N, LATENT)
    first.eval(), second.eval()
    p, q = (model.observation(model.decoder(z)) for model in (first, second))
    assert torch.equal(p.loc, q.loc)
    assert torch.equal(p.scale, q.scale)


def test_prior():
    prior = StandardNormal(4)
    p = prior()
    assert p.event_shape == (4,)
    assert p.batch_shape == ()
    z = torch.randn(3, 4)
    torch.testing.assert_close(p.log_prob(z), -0.5 * z.square().sum(-1) - 2 * math.log(2 * math.pi))
    assert prior.double()().sample().dtype == torch.float64
    assert prior.state_dict() == {}
    with pytest.raises(UsageError, match="at least 1 latent dimension, but got 0"):
        StandardNormal(0)
