"""Guides: the model's latent sites, their shapes, and the floor of the standard deviation."""

import pyro
import pytest
import torch
from pyro import poutine
from torch import nn

from obsvae.errors import UsageError
from obsvae.guides import AmortisedDelta, AmortisedNormal, ConvEncoder, MLPEncoder, make_guide
from obsvae.model import VAE, MLPDecoder, Normal, StandardNormal

PAIRS = [("normal", MLPEncoder, (5,)), ("normal", MLPEncoder, (4, 3)), ("delta", MLPEncoder, (5,))]
PAIRS += [("normal", ConvEncoder, (7, 5)), ("normal", ConvEncoder, (3, 9, 6)), ("delta", ConvEncoder, (3, 9, 6))]


def latent_sites(trace):
    return {
        name: site
        for name, site in trace.nodes.items()
        if site["type"] == "sample" and not site["is_observed"] and not poutine.util.site_is_subsample(site)
    }


@pytest.mark.parametrize(("name", "encoder", "event_shape"), PAIRS)
def test_latent_sites_are_the_models(name, encoder, event_shape):
    latent, x = 3, torch.randn(6, *event_shape)
    model = VAE(StandardNormal(latent), MLPDecoder(latent, event_shape, hidden=(8,)), Normal(scale=1.0))
    guide = make_guide(name, encoder, event_shape, latent, (4, 4))
    expected = latent_sites(poutine.trace(model).get_trace(x))
    found = latent_sites(poutine.trace(guide).get_trace(x))
    assert set(found) == set(expected) == {"z"}
    for sites in (expected, found):
        assert [(f.name, f.dim, f.size) for f in sites["z"]["cond_indep_stack"]] == [("data", -1, 6)]
        assert sites["z"]["value"].shape == (6, latent)
        assert sites["z"]["fn"].batch_shape == (6,)
        assert sites["z"]["fn"].event_shape == (latent,)


@pytest.mark.parametrize("name", ["normal", "delta"])
def test_guide_returns_what_it_samples(name):
    x = torch.randn(6, 5)
    trace = poutine.trace(make_guide(name, MLPEncoder, (5,), 3, (8,))).get_trace(x)
    assert trace.nodes["_RETURN"]["value"] is trace.nodes["z"]["value"]


def test_delta_returns_the_encoders_output():
    x, guide = torch.randn(6, 5), make_guide("delta", MLPEncoder, (5,), 3, (8,))
    assert isinstance(guide, AmortisedDelta)
    assert torch.equal(guide(x), guide.encoder(x))
    assert not guide.has_density
    assert AmortisedNormal.has_density


def test_normal_takes_location_and_scale_from_the_two_halves():
    x, guide = torch.randn(6, 5), make_guide("normal", MLPEncoder, (5,), 3, (8,))
    q = poutine.trace(guide).get_trace(x).nodes["z"]["fn"].base_dist
    raw = guide.encoder(x)
    torch.testing.assert_close(q.loc, raw[:, :3])
    torch.testing.assert_close(q.scale, 1e-4 + nn.functional.softplus(raw[:, 3:]))


@pytest.mark.parametrize("floor", [1e-4, 0.3])
def test_standard_deviation_is_never_below_the_floor(floor):
    guide = AmortisedNormal(MLPEncoder((5,), 6, hidden=()), floor)
    with torch.no_grad():
        guide.encoder.layers[-1].bias.fill_(-200.0)  # softplus underflows to 0
    scale = poutine.trace(guide).get_trace(torch.randn(6, 5)).nodes["z"]["fn"].base_dist.scale
    assert (scale >= floor).all()
    torch.testing.assert_close(scale, torch.full_like(scale, floor))


def test_odd_outputs_are_refused():
    with pytest.raises(UsageError, match="2 D outputs for D latents, but it has 5"):
        AmortisedNormal(MLPEncoder((4,), 5))
    AmortisedDelta(MLPEncoder((4,), 5))  # one output per latent: any number does


@pytest.mark.parametrize(("wrong", "near"), [("normall", "normal"), ("detla", "delta")])
def test_unknown_guide_names_the_nearest(wrong, near):
    with pytest.raises(UsageError, match=f"unknown guide '{wrong}'; did you mean '{near}'"):
        make_guide(wrong, MLPEncoder, (5,), 2, (8,))


@pytest.mark.parametrize(("name", "outputs"), [("normal", 6), ("delta", 3)])
def test_registry_gives_the_encoder_as_many_outputs_as_the_guide_needs(name, outputs):
    assert make_guide(name, MLPEncoder, (5,), 3, (8,)).encoder.outputs == outputs
    conv = make_guide(name, ConvEncoder, (6, 5), 3, (8,)).encoder
    assert conv.outputs == outputs
    assert isinstance(conv, ConvEncoder)


def test_two_guides_have_parameters_of_their_own():
    pyro.clear_param_store()
    first, second = (make_guide("normal", MLPEncoder, (5,), 3, (8,)) for _ in range(2))
    second.load_state_dict(first.state_dict())
    x = torch.randn(4, 5)
    first(x)
    with torch.no_grad():
        for parameter in second.parameters():
            parameter.add_(1.0)
    assert not torch.allclose(first.encoder(x), second.encoder(x))
    assert not list(pyro.get_param_store())
