"""Decoders: shapes, leading batch dimensions, and the bias that starts training."""

import pytest
import torch

from obsvae.errors import UsageError
from obsvae.model import ConvDecoder, MLPDecoder, ResidualDecoder

IMAGES = [(9, 5), (3, 9, 5), (28, 20), (1, 8, 8), (1, 1)]


def decoders():
    with torch.random.fork_rng():  # they are made while pytest collects, before any fixture seeds
        torch.manual_seed(0)
        return [
            *(MLPDecoder(4, shape, 2, hidden=(8,)) for shape in [(), (6,), (2, 3)]),
            MLPDecoder(4, (6,), 1, hidden=()),
            *(ConvDecoder(4, shape, 2, hidden=(8, 4)) for shape in IMAGES),
            MLPDecoder(4, (6,), 1, hidden=(8, 5), activation="gated", skip=True),
            ResidualDecoder(4, (3, 9, 5), 2, hidden=(8, 4)),
            ConvDecoder(4, (28, 20), 3, hidden=(8,)),
            ConvDecoder(4, (9, 5), 1, hidden=(8, 4, 2)),
        ]


def name(decoder):
    return f"{type(decoder).__name__}-{tuple(decoder.event_shape)}-{decoder.outputs}"


@pytest.mark.parametrize("decoder", decoders(), ids=name)
def test_shapes_with_leading_dimensions(decoder):
    shape = (*decoder.event_shape, decoder.outputs)
    z = torch.randn(5, 2, 3, 4)
    assert decoder(z[0, 0, 0]).shape == shape
    eta = decoder(z)
    assert eta.shape == (5, 2, 3, *shape)
    flat = decoder(z.reshape(30, 4)).reshape(eta.shape)
    torch.testing.assert_close(eta, flat, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(eta[3, 1, 2], decoder(z[3, 1, 2]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("decoder", decoders(), ids=name)
def test_the_bias_shifts_eta_everywhere(decoder):
    z, start = torch.randn(5, 4), torch.randn(*decoder.event_shape, decoder.outputs)
    with torch.no_grad():
        decoder.set_bias(torch.zeros_like(start))
        zero = decoder(z)
        decoder.set_bias(start)
        torch.testing.assert_close(decoder(z) - zero, start.expand_as(zero), rtol=1e-4, atol=1e-5)
    assert zero.std(0).max() > 1e-3  # and z still matters


@pytest.mark.parametrize("decoder", decoders(), ids=name)
def test_without_weights_eta_is_the_bias(decoder):
    z, start = torch.randn(5, 4), torch.randn(*decoder.event_shape, decoder.outputs)
    last = decoder.head if isinstance(decoder, MLPDecoder) else decoder.stages[-1][-1]
    with torch.no_grad():
        decoder.set_bias(start)
        last.weight.zero_()
        torch.testing.assert_close(decoder(z), start.expand(5, *start.shape))


@pytest.mark.parametrize("decoder", decoders(), ids=name)
def test_every_parameter_learns(decoder):
    z = torch.randn(64, 4)
    decoder(z).square().sum().backward()
    for key, parameter in decoder.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.abs().max() > 0, key


def test_channels_and_outputs_keep_their_places():
    # A constant in one output map of the last stage must show in that channel and that output alone.
    decoder = ConvDecoder(4, (3, 8, 8), 2, hidden=(8, 4))
    z = torch.randn(2, 4)
    with torch.no_grad():
        before = decoder(z)
        decoder.stages[-1][-1].weight[:, 2 * 1 + 1] += 1.0  # channel 1, output 1
        changed = (decoder(z) != before).flatten(2, 3).any(2).any(0)
    assert changed.nonzero().tolist() == [[1, 1]]


def test_conv_needs_images():
    for shape in [(6,), (), (1, 2, 3, 4)]:
        with pytest.raises(UsageError, match=r"conv needs images.*take architecture mlp"):
            ConvDecoder(4, shape)
    with pytest.raises(UsageError, match="at least one hidden stage"):
        ConvDecoder(4, (8, 8), hidden=())


def test_many_stages_stay_as_small_as_the_image():
    decoder = ConvDecoder(4, (9, 5), 1, hidden=(2,) * 12)
    sizes = []
    for stage in decoder.stages:
        stage.register_forward_hook(lambda _, inputs, out: sizes.append(tuple(out.shape[-2:])))
    assert decoder(torch.randn(3, 4)).shape == (3, 9, 5, 1)
    assert max(sizes) == (10, 6)  # cropped to (9, 5)


def test_channels_last_are_refused_with_the_remedy():
    with pytest.raises(UsageError, match=r"channels first.*\(32, 32, 3\).*load them with channels='last'"):
        ConvDecoder(4, (32, 32, 3))
    assert ConvDecoder(4, (3, 32, 3)).image == (3, 32, 3)
