"""Encoders: shapes, and inputs standardised by training statistics."""

import pytest
import torch

from obsvae.errors import UsageError
from obsvae.guides import ConvEncoder, MLPEncoder, Standardised


def standardised(encoder, x):
    """Return what the network of an encoder gets to see."""
    seen = []
    encoder.network = lambda inputs, c: seen.append(inputs) or inputs
    encoder(x)
    del encoder.network
    return seen[0]


@pytest.mark.parametrize("event_shape", [(1,), (5,), (4, 3), (3, 4, 5)])
@pytest.mark.parametrize("batch", [(1,), (6,), (2, 6)])
def test_mlp_shapes(event_shape, batch):
    assert MLPEncoder(event_shape, 7, hidden=(8, 4))(torch.randn(*batch, *event_shape)).shape == (*batch, 7)


@pytest.mark.parametrize("event_shape", [(1, 1), (2, 7), (28, 20), (9, 13), (1, 5, 3), (3, 7, 11)])
@pytest.mark.parametrize("batch", [(1,), (4,), (2, 3)])
@pytest.mark.parametrize("hidden", [(4,), (4, 6, 5)])
def test_conv_on_odd_shapes(event_shape, batch, hidden):
    encoder = ConvEncoder(event_shape, 6, hidden)
    x = torch.randn(*batch, *event_shape)
    out = encoder(x)
    assert out.shape == (*batch, 6)
    alone = encoder(x.reshape(-1, *event_shape)[:1])
    torch.testing.assert_close(out.reshape(-1, 6)[:1], alone, rtol=1e-4, atol=1e-5)


def test_no_hidden_layer_is_a_linear_map():
    encoder = MLPEncoder((5,), 3, hidden=())
    a, b = torch.randn(2, 4, 5)
    torch.testing.assert_close(encoder(a) + encoder(b), encoder(a + b) + encoder(torch.zeros(4, 5)))


def test_vectors_are_standardised_feature_by_feature():
    x = torch.randn(2000, 3) * torch.tensor([1e-3, 1.0, 1e4]) + torch.tensor([5.0, -2.0, 1e5])
    encoder = MLPEncoder((3,), 4)
    encoder.initialise(x)
    seen = standardised(encoder, x)
    torch.testing.assert_close(seen.mean(0), torch.zeros(3), rtol=0, atol=1e-3)
    torch.testing.assert_close(seen.std(0), torch.ones(3), rtol=1e-3, atol=0)


@pytest.mark.parametrize("event_shape", [(6, 5), (3, 6, 5)])
def test_images_are_standardised_by_one_pair_where_nothing_else_is_said(event_shape):
    x = torch.rand(300, *event_shape) * torch.linspace(0, 255, 5)
    encoder = ConvEncoder(event_shape, 4, inputs=Standardised(event_shape, ()))
    encoder.initialise(x)
    assert encoder.inputs.offset.shape == encoder.inputs.scale.shape == ()
    seen = standardised(encoder, x)
    assert seen.mean().abs() < 1e-4
    assert (seen.std() - 1).abs() < 1e-4
    # The differences between pixels remain.
    columns = seen.std(tuple(range(seen.ndim - 1)))
    assert columns.max() > 3 * columns.min()
    torch.testing.assert_close(seen, (x - x.mean()) / x.std(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("event_shape", "unit_shape", "expected"),
    [
        ((5,), None, (5,)),
        ((6, 5), None, ()),
        ((3, 6, 5), None, (3, 1, 1)),
        ((6, 5, 3), None, (1, 1, 3)),
        ((6, 5), (1, 5), (1, 5)),
    ],
)
def test_each_unit_is_standardised(event_shape, unit_shape, expected):
    encoder = MLPEncoder(event_shape, 4, (), Standardised(event_shape, unit_shape))
    factor = 10.0 ** torch.arange(torch.Size(expected).numel()).view(expected)
    x = 7.0 * factor + factor * torch.randn(300, *event_shape)
    encoder.initialise(x)
    assert encoder.inputs.offset.shape == encoder.inputs.scale.shape == expected
    seen = standardised(encoder, x)
    axes = [0] + [a + 1 for a in range(len(event_shape)) if not expected or expected[a] == 1]
    torch.testing.assert_close(seen.mean(axes), torch.zeros_like(seen.mean(axes)), rtol=0, atol=1e-3)
    torch.testing.assert_close(seen.std(axes), torch.ones_like(seen.std(axes)), rtol=1e-3, atol=0)


@pytest.mark.parametrize("constant", [0.0, 0.1, 3.3, -7.7, 1234.567, 1e6 / 3])
@pytest.mark.parametrize("n", [1, 7, 1000, 4999])
def test_a_constant_feature_is_harmless(constant, n):
    x = torch.randn(n, 3)
    x[:, 1] = constant
    encoder = MLPEncoder((3,), 4)
    encoder.initialise(x)
    seen = standardised(encoder, x)
    assert torch.isfinite(seen).all()
    assert seen[:, 1].abs().max() < 1e-3 * max(1.0, abs(constant))
    # A new datum may differ there: the feature's unit is all there is to judge that by.
    other = x[:1].clone()
    other[:, 1] += 1.0
    assert standardised(encoder, other)[:, 1].abs().max() < 10


def test_a_constant_image_is_harmless():
    encoder = ConvEncoder((4, 4), 2)
    encoder.initialise(torch.full((10, 4, 4), 255.0))
    assert torch.equal(standardised(encoder, torch.full((2, 4, 4), 255.0)), torch.zeros(2, 4, 4))


@pytest.mark.parametrize("kind", [MLPEncoder, ConvEncoder])
@pytest.mark.parametrize(("a", "b"), [(0.0, 255.0), (-3.0, 1e-3), (40.0, 2.54)])
def test_the_unit_of_x_does_not_matter(kind, a, b):
    # float64: in float32 the data themselves lose digits where a is far from 0
    x = torch.rand(50, 6, 5, dtype=torch.float64)
    encoder = kind((6, 5), 4, (8,)).double()
    encoder.initialise(x)
    expected = encoder(x)
    encoder.initialise(a + b * x)
    torch.testing.assert_close(encoder(a + b * x), expected, rtol=1e-9, atol=1e-9)
    assert not torch.allclose(encoder(x), expected, rtol=1e-2, atol=1e-2)


def test_the_unit_of_each_feature_does_not_matter():
    x, encoder = torch.randn(50, 3), MLPEncoder((3,), 4, (8,))
    encoder.initialise(x)
    expected = encoder(x)
    changed = x * torch.tensor([1e-2, 100.0, 3.0]) + torch.tensor([0.5, -40.0, 7.0])
    encoder.initialise(changed)
    torch.testing.assert_close(encoder(changed), expected, rtol=1e-3, atol=2e-4)


@pytest.mark.parametrize("shape", [(10, 4), (10,), (10, 5, 1), (5,)])
def test_data_of_another_shape_are_refused(shape):
    with pytest.raises(UsageError, match=r"built for data of shape \(5,\), but got"):
        MLPEncoder((5,), 4).initialise(torch.randn(shape))


def test_conv_needs_images():
    for event_shape in [(5,), (1, 2, 3, 4)]:
        with pytest.raises(UsageError, match=r"conv needs images.*take architecture mlp"):
            ConvEncoder(event_shape, 4, (8,))


def test_conv_needs_a_stage():
    with pytest.raises(UsageError, match="at least one hidden stage"):
        ConvEncoder((5, 5), 4, ())


def test_statistics_are_saved_with_the_weights():
    encoder = MLPEncoder((3,), 4)
    encoder.initialise(torch.randn(10, 3) + 5)
    other = MLPEncoder((3,), 4)
    other.load_state_dict(encoder.state_dict())
    x = torch.randn(2, 3)
    assert torch.equal(other(x), encoder(x))
    assert (other.inputs.offset > 1).all()
