"""Affine maps to data units: the Jacobian, the edges, and masses that have none."""

import math

import pytest
import torch

from obsvae.errors import UsageError
from obsvae.model import (
    Affine,
    Bernoulli,
    Categorical,
    ContinuousBernoulli,
    Normal,
    Transformed,
    UnnormalisedBernoulli,
    make_observation,
)


@pytest.mark.parametrize("inner", [Normal(), ContinuousBernoulli()])
@pytest.mark.parametrize("scale", [255.0, 0.01, -4.0])
def test_a_density_gets_the_jacobian(inner, scale):
    eta, u = torch.randn(3, 2, 1), torch.rand(3, 2)
    outer = Transformed(inner, Affine(10.0, scale))
    x = 10.0 + scale * u
    lower = inner(eta).log_prob(outer.to_inner(x)) - outer(eta).log_prob(x)
    torch.testing.assert_close(lower, torch.full_like(lower, math.log(abs(scale))), rtol=1e-4, atol=1e-5)


def test_each_feature_may_have_its_own_map():
    inner, offset, scale = Normal(), torch.tensor([0.0, 100.0, -5.0]), torch.tensor([1.0, 10.0, 0.1])
    outer = Transformed(inner, Affine(offset, scale))
    eta, u = torch.randn(4, 3, 1), torch.randn(4, 3)
    x = offset + scale * u
    torch.testing.assert_close(outer.to_inner(x), u, rtol=1e-4, atol=1e-4)
    expected = inner(eta).log_prob(u) - scale.log()
    torch.testing.assert_close(outer(eta).log_prob(x), expected, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(outer.mean(eta), offset + scale * inner.mean(eta))
    with pytest.raises(UsageError, match=r"normal needs \(x - offset\) / scale finite, but found nan"):
        outer.check(torch.full((1, 3), math.nan))


def test_a_mass_keeps_its_value():
    inner = Categorical(4)
    outer = Transformed(inner, Affine(3.0, 2.0))
    eta, levels = torch.randn(6, 4), torch.tensor([0.0, 1.0, 2.0, 3.0, 0.0, 2.0])
    assert torch.equal(outer(eta).log_prob(3 + 2 * levels), inner(eta).log_prob(levels))
    torch.testing.assert_close(outer.mean(eta), 3 + 2 * inner.mean(eta))
    outer.check(3 + 2 * levels[:, None])
    for wrong in (1.0, 4.0, 11.0):
        with pytest.raises(UsageError, match=r"categorical needs \(x - 3\) / 2 a whole number from 0 to 3"):
            outer.check(torch.tensor([[wrong]]))
    assert set(outer(eta).sample((100,)).unique().tolist()) == {3.0, 5.0, 7.0, 9.0}


def test_binary_data_in_bytes():
    outer = Transformed(Bernoulli(), Affine(0.0, 255.0))
    eta, x = torch.tensor([[2.0], [2.0]]), torch.tensor([255.0, 0.0])
    torch.testing.assert_close(outer(eta).log_prob(x).exp().sum(), torch.tensor(1.0))
    assert outer(eta).log_prob(x)[0] == torch.nn.functional.logsigmoid(torch.tensor(2.0))
    outer.check(x[:, None])
    with pytest.raises(UsageError, match="found 254 at datum 0"):
        outer.check(torch.tensor([[254.0]]))


@pytest.mark.parametrize(("low", "step", "levels"), [(0.1, 0.1, 11), (-1.0, 0.3, 20), (0.0, 1 / 255, 256)])
def test_every_point_of_a_fractional_grid_is_its_level(low, step, levels):
    # (0.3 − 0.1) / 0.1 is 1.9999999 in float32, which is neither whole nor, truncated, level 2.
    inner = Categorical(levels)
    outer = Transformed(inner, Affine(low, step))
    x = torch.tensor([low + step * k for k in range(levels)], dtype=torch.float64).float()
    outer.check(x[:, None])
    eta = torch.randn(levels, generator=torch.Generator().manual_seed(0)).expand(levels, levels)
    torch.testing.assert_close(outer(eta).log_prob(x), inner(eta).log_prob(torch.arange(levels)))


def test_a_loss_keeps_its_value():
    inner = UnnormalisedBernoulli()
    eta, u = torch.randn(5, 1), torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0])
    assert torch.equal(Transformed(inner, Affine(0.0, 4.0))(eta).log_prob(4 * u), inner(eta).log_prob(u))


@pytest.mark.parametrize(
    "bounds", [(0.1, 0.3), (0.0, 255.0), (-0.7, 0.1), (1e-3, 1234.567), (99.9, 100.0), (-5.3, -5.1)]
)
@pytest.mark.parametrize("spec", ["continuous-bernoulli", "unnormalised-bernoulli"])
def test_bounds_are_accepted_whatever_float32_makes_of_them(spec, bounds, data_stub):
    observation = make_observation(spec, data_stub((5,), bounds=bounds))
    low, high = torch.tensor(bounds)
    inside = (torch.nextafter(low, high), (low + high) / 2, torch.nextafter(high, low))
    x = torch.stack([low, *inside, high])[None]
    observation.check(x)
    assert observation(torch.full((1, 5, 1), 3.0)).log_prob(x).isfinite().all()  # validated by torch as well
    for wrong in (low - 1e-4 * (high - low), high + 1e-4 * (high - low)):
        with pytest.raises(UsageError, match="found"):
            observation.check(wrong.expand(1, 5))


@pytest.mark.parametrize(
    ("offset", "scale"),
    [(0.0, 0.0), (0.0, math.nan), (0.0, math.inf), (math.nan, 1.0), (0.0, torch.tensor([1.0, 0.0]))],
)
def test_maps_that_lose_the_data_are_refused(offset, scale):
    with pytest.raises(UsageError, match="finite offset and a scale that is not 0") as caught:
        Transformed(Normal(), Affine(offset, scale))
    assert "\n" not in str(caught.value)


def test_the_map_is_saved_with_the_weights():
    outer = Transformed(Normal(), Affine(3.0, 2.0))
    other = Transformed(Normal(), Affine(0.0, 1.0))
    other.load_state_dict(outer.state_dict())
    eta, x = torch.randn(4, 1), torch.randn(4)
    assert torch.equal(other(eta).log_prob(x), outer(eta).log_prob(x))


def test_update_and_description_pass_through():
    outer = Transformed(Normal(scale="optimal"), Affine(10.0, 5.0))
    eta, x = torch.zeros(100, 2, 1), 10 + 5 * torch.randn(100, 2)
    outer.update([(eta, x)])
    described = outer.describe()
    assert described["scale"] == pytest.approx(((x - 10) / 5).square().mean().sqrt().item(), rel=1e-5)
    assert (described["offset"], described["factor"]) == (10.0, 5.0)


def test_initialise_is_of_the_inner_units():
    outer, x = Transformed(Normal(), Affine(10.0, 5.0)), 10 + 5 * (2 * torch.randn(1000, 2) + 7)
    eta = outer.initialise(x)
    torch.testing.assert_close(outer.mean(eta), x.mean(0))
    torch.testing.assert_close(outer.inner.spread, x.std() / 5)


@pytest.mark.parametrize(("x", "factor"), [(0.2, 255.0), (254.8, 255.0), (0.30004, 0.1)])
def test_what_lies_beside_the_grid_is_refused(x, factor):
    observation = Transformed(Categorical(5), Affine(0.0, factor))
    observation.check(torch.tensor([[0.0, factor, 3 * factor]]))
    with pytest.raises(UsageError, match="whole number"):
        observation.check(torch.tensor([[x]]))
