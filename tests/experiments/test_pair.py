"""A model/guide pair by names, and what it needs of memory."""

import numpy as np
import pytest
import torch

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments import make_pair
from obsvae.guides import AmortisedDelta, ConvEncoder, MLPEncoder, make_guide
from obsvae.model import ConvDecoder, MLPDecoder, Normal, make_observation


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def test_weights_are_those_of_the_seed_whatever_was_drawn_before(digits):
    torch.manual_seed(7)
    observation = make_observation("normal:scale=decoder", digits)
    decoder = MLPDecoder(3, (8, 8), observation.outputs, (5, 6))
    encoder = make_guide("normal", MLPEncoder, (8, 8), 3, (6, 5)).encoder
    torch.manual_seed(99)
    before = torch.get_rng_state()
    model, guide = make_pair("normal:scale=decoder", digits, latent=3, hidden=(6, 5), seed=7)
    assert torch.equal(torch.get_rng_state(), before)
    for made, expected in ((model.decoder, decoder), (guide.encoder, encoder)):
        found = made.state_dict()
        assert all(torch.equal(found[name], value) for name, value in expected.state_dict().items())


def test_an_architecture_is_a_decoder_with_its_encoder(digits):
    model, guide = make_pair("normal", digits, latent=2, architecture="conv", guide="delta")
    assert isinstance(model.decoder, ConvDecoder)
    assert isinstance(guide.encoder, ConvEncoder)
    assert isinstance(guide, AmortisedDelta)
    assert [stage[0].out_channels for stage in [guide.encoder.stages]] == [32]


def test_an_observation_may_be_made_beforehand(digits):
    observation = Normal(scale=2.0)
    model, _ = make_pair(observation, digits, latent=2, hidden=())
    assert model.observation is observation


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"observation": "nomal"}, "did you mean 'normal'"),
        ({"architecture": "cnov"}, "did you mean 'conv'"),
        ({"guide": "dleta"}, "did you mean 'delta'"),
        ({"prior": "standard-nomal"}, "did you mean 'standard-normal'"),
        ({"latent": 0}, "latent needs to be a whole number of at least 1"),
    ],
)
def test_wrong_names_are_refused(wrong, words, digits):
    with pytest.raises(UsageError, match=words):
        make_pair(**{"observation": "normal", "data": digits, **wrong})


@pytest.fixture(scope="module")
def many_levels():
    """Return 784 features of 65,536 levels each."""
    x = np.random.default_rng(0).integers(0, 2**16, size=(20, 784))
    x[0, 0], x[0, 1] = 0, 2**16 - 1
    return load(x)


def test_a_family_that_would_not_fit_into_memory_is_refused_and_the_remedy_works(many_levels):
    assert many_levels.grid.levels == 2**16
    with pytest.raises(UsageError) as caught:
        make_pair("categorical", many_levels, hidden=(10_000,))
    message = str(caught.value)
    assert "\n" not in message
    # 784 × 65,536 outputs × (10,000 weights × 16 bytes + 500 data × 8 bytes in validation), in GB
    assert "categorical needs 8,4" in message
    assert "65536 decoder outputs for each of 784 features" in message
    remedy = message.partition("; take ")[2].partition(", whose")[0]
    model, _ = make_pair(remedy, many_levels, hidden=(100,))
    model.check(many_levels.train)


@pytest.mark.parametrize("size", [{"latent": 10**9}, {"latent": 2 * 10**9, "hidden": (2 * 10**9,)}])
def test_networks_that_would_not_fit_into_memory_are_refused(size, digits):
    with pytest.raises(UsageError, match=r"normal needs .* memory .*; take smaller networks"):
        make_pair("normal", digits, **size)
