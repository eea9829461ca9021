"""Masses of intervals up to 10⁷ standard deviations out: values and derivatives in float32, against mpmath."""

import math

import mpmath as mp
import pyro.distributions as dist
import pytest
import torch

from obsvae.model import exact
from obsvae.model.exact.interval_mass.differences import log1mexpexp, log_minus_log1mexp, ndtr

FAR = [0.3, 3.0, 7.9, 8.1, 21.0, 300.0, 1000.0, 4000.0, 3e4, 6e5, 1e7]
SCALES = [1e-3, 0.05, 1.0, 30.0]
INF = math.inf


def log_mass(low, high, loc, scale):
    """Return log(Φ(b) − Φ(a)) on the left, where it has its digits."""
    a, b = (low - loc) / scale, (high - loc) / scale
    a, b = (-b, -a) if a + b > 0 else (a, b)
    return mp.log(mp.erfc(-b / mp.sqrt(2)) - mp.erfc(-a / mp.sqrt(2))) - mp.log(2)


def truth(low, high, loc, scale):
    """Return the log-mass, its slopes in location and scale, and its curvature in location."""
    with mp.workdps(60):
        low, high = mp.mpf(low), mp.mpf(high)
        # Divided differences: the function is smooth on the scale of σ² / distance.
        orders = [(0, 0), (1, 0), (0, 1), (2, 0)]
        step = mp.mpf(10) ** -25
        return [float(mp.diff(lambda m, s: log_mass(low, high, m, s), (loc, scale), n, h=step)) for n in orders]


@pytest.mark.parametrize(
    ("dtype", "tolerances"),
    [(torch.float32, (3e-7, 3e-6, 3e-6, 2e-4)), (torch.float64, (3e-15, 1e-13, 1e-13, 1e-11))],
    ids=["float32", "float64"],
)
@pytest.mark.parametrize("side", [-1.0, 1.0])
@pytest.mark.parametrize("is_tail", [False, True], ids=["cell", "tail"])
def test_the_mass_and_its_derivatives(dtype, tolerances, side, is_tail):
    low, high = (0.0, INF if is_tail else 1.0) if side > 0 else (-INF if is_tail else -1.0, 0.0)
    ends = [torch.tensor(end, dtype=torch.float64) for end in (low, high, high - low)]
    for scale in SCALES:
        for t in FAR:
            loc, sigma = (torch.tensor(v, dtype=dtype, requires_grad=True) for v in (-side * t * scale, scale))
            value = exact.log_interval_mass(dist.Normal(loc, sigma), exact.Interval(*ends))
            slopes = torch.autograd.grad(value, (loc, sigma), create_graph=True)
            (curvature,) = torch.autograd.grad(slopes[0], loc)
            found = [value.item(), *(slope.item() for slope in slopes), curvature.item()]
            for one, right, tolerance in zip(
                found, truth(low, high, loc.item(), sigma.item()), tolerances, strict=True
            ):
                assert one == pytest.approx(right, rel=tolerance, abs=tolerance), (scale, t)


def test_a_discretised_normal_far_out_comes_back():
    # log-derivative of the mass of a cell: (distance of its nearer edge) / σ², and distance² / σ³
    for t, tolerance in ((1000.0, 1e-6), (4000.0, 1e-6), (3e4, 1e-6)):
        loc, scale = torch.tensor(-0.05 * t, requires_grad=True), torch.tensor(0.05, requires_grad=True)
        value = exact.Discretised(dist.Normal(loc, scale), 0.0, 1.0, 256).log_prob(torch.tensor(10.0))
        slopes = torch.autograd.grad(value, (loc, scale))
        distance, sigma = 9.5 - loc.item(), scale.item()
        assert slopes[0].item() == pytest.approx(distance / sigma**2, rel=tolerance)
        assert slopes[1].item() == pytest.approx(distance**2 / sigma**3, rel=tolerance)


@pytest.mark.parametrize("make", [dist.Normal, exact.TruncatedNormal, exact.LogitNormal, dist.LogNormal])
@pytest.mark.parametrize("location", [-1e30, 1e30, -3e38, 3e38])
def test_a_location_that_overflows_gives_no_nan(make, location):
    low = torch.tensor([-INF, 0.1, 0.5], dtype=torch.float64)
    high = torch.tensor([0.1, 0.5, INF], dtype=torch.float64)
    p = make(torch.tensor(location), torch.tensor(1e-3))
    value = exact.log_interval_mass(p, exact.Interval(low, high, high - low))
    assert not value.isnan().any()
    # All is in the cell at the end.
    assert value[2 if location > 0 else 0].item() == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_lower_tail_of_the_normal_keeps_its_digits(dtype):
    t = torch.tensor([-12.0, -8.0, -5.0, -1.0, 0.0, 3.0], dtype=dtype)
    right = torch.tensor([float(mp.erfc(-mp.mpf(v) / mp.sqrt(2)) / 2) for v in t.tolist()], dtype=torch.float64)
    torch.testing.assert_close(ndtr(t).double(), right, rtol=1e-5 if dtype == torch.float32 else 1e-12, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_logarithms_of_double_exponentials(dtype):
    s = torch.tensor([-300.0, -90.0, -17.1, -16.9, -3.0, 0.0, 1.5, 4.0], dtype=dtype, requires_grad=True)
    t = torch.tensor([-300.0, -90.0, -17.1, -16.9, -3.0, -0.7, -0.1, -1e-6], dtype=dtype, requires_grad=True)
    tolerance = 1e-6 if dtype == torch.float32 else 1e-13
    with mp.workdps(200):
        for function, exactly, at in (
            (log1mexpexp, lambda v: mp.log(-mp.expm1(-mp.exp(v))), s),
            (log_minus_log1mexp, lambda v: mp.log(-mp.log(-mp.expm1(v))), t),
        ):
            value = function(at)
            (slope,) = torch.autograd.grad(value.sum(), at)
            for k, v in enumerate(at.tolist()):
                assert value[k].item() == pytest.approx(float(exactly(mp.mpf(v))), rel=tolerance, abs=1e-20)
                assert slope[k].item() == pytest.approx(float(mp.diff(exactly, mp.mpf(v))), rel=2 * tolerance)
    overflowing = torch.tensor([6.0, 90.0, 3e38], dtype=dtype, requires_grad=True)
    assert log1mexpexp(overflowing).tolist() == pytest.approx([0, 0, 0], abs=1e-60)
    assert torch.autograd.grad(log1mexpexp(overflowing).sum(), overflowing)[0].abs().max().item() < 1e-60
