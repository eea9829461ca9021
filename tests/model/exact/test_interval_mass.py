"""The mass of an interval under each family, against quadrature by mpmath and by its own derivatives."""

import functools
import math

import mpmath as mp
import pyro.distributions as dist
import pytest
import torch

from obsvae.model import exact as ours
from obsvae.model.exact.interval_mass.closed_form import log_interval_mass
from obsvae.model.exact.interval_mass.interval import Interval
from tests.model.exact import interval_references as ref

INF = math.inf


def interval(low, high, dtype=torch.float64):
    low, high = torch.tensor(low, dtype=dtype), torch.tensor(high, dtype=dtype)
    return Interval(low, high, high - low)


REAL = [(-0.5, 0.5), (1.0, 2.0), (49.5, 50.5), (-50.5, -49.5), (-INF, -49.5), (50.0, INF), (-3.0, 40.0), (0.3, 0.301)]
POSITIVE = [(-0.5, 0.5), (0.5, 1.5), (30.5, 31.5), (254.5, INF), (1.0, 1.001), (-INF, 1e-3)]
UNIT = [(-INF, 0.5 / 255), (0.5 / 255, 1.5 / 255), (0.3, 0.31), (0.5, 0.9), (1 - 0.5 / 255, INF), (0.7, 0.7001)]
CIRCLE = [(-INF, -3.0), (0.45, 0.55), (-2.7, -2.6), (-2.0, 1.0), (3.0, INF)]
CASES = {
    "normal": (dist.Normal, ref.normal, [(0.2, 1.0), (0.0, 0.01), (0.0, 100.0)], REAL),
    "laplace": (dist.Laplace, ref.laplace, [(0.2, 1.0), (0.0, 0.01), (0.0, 100.0)], REAL),
    "logistic": (ours.Logistic, ref.logistic, [(0.2, 1.0), (0.0, 0.01), (0.0, 100.0)], REAL),
    "student-t": (ours.StudentT, ref.student_t, [(1.5, 0.2, 1.0), (5.0, 0.0, 0.01), (1e4, 0.0, 10.0)], REAL),
    "log-normal": (dist.LogNormal, ref.log_normal, [(0.2, 1.0), (3.0, 0.05), (-2.0, 10.0)], POSITIVE),
    "gamma": (ours.Gamma, ref.gamma, [(2.0, 3.0), (0.01, 0.02), (30.0, 0.5), (1e5, 1e3)], POSITIVE),
    "weibull": (ours.Weibull, ref.weibull, [(2.0, 1.5), (10.0, 0.3), (1.2, 30.0)], POSITIVE),
    "beta": (ours.Beta, ref.beta, [(2.0, 3.0), (0.01, 0.02), (30.0, 0.5), (1e3, 2e3)], UNIT),
    "logit-normal": (ours.LogitNormal, ref.logit_normal, [(0.2, 1.0), (3.0, 0.1), (0.0, 20.0)], UNIT),
    "continuous-bernoulli": (
        ours.ContinuousBernoulli,
        ref.continuous_bernoulli,
        [(0.0,), (1e-3,), (-0.2,), (7.0,), (-300.0,), (1e4,)],
        UNIT,
    ),
    "truncated-normal": (
        ours.TruncatedNormal,
        ref.truncated_normal,
        [(0.4, 0.2), (-3.0, 0.1), (2.0, 1.0), (0.5, 5.0)],
        UNIT,
    ),
    "kumaraswamy": (ours.Kumaraswamy, ref.kumaraswamy, [(2.0, 3.0), (0.1, 0.2), (20.0, 5.0)], UNIT),
    "von-mises": (ours.VonMises, ref.von_mises, [(0.5, 0.1), (0.5, 5.0), (-3.1, 300.0)], CIRCLE),
}
EACH = [(name, values) for name, (_, _, many, _) in CASES.items() for values in many]


@functools.cache
def exact(name, values, low, high):
    with mp.workdps(17):
        log_density, coordinate, mode, scale = CASES[name][1](*values)
        a, b = coordinate(low), coordinate(high)
        # Further out nothing of an exponential tail is left.
        a = a if mp.isfinite(a) else min(mode, b) - mp.mpf(2e4) * scale
        b = b if mp.isfinite(b) else max(mode, a) + mp.mpf(2e4) * scale
        return ref.log_integral(log_density, a, b, mode, scale)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-5)])
@pytest.mark.parametrize(("name", "values"), EACH)
def test_agrees_with_quadrature(name, values, dtype, tolerance):
    make, _, _, intervals = CASES[name]
    # At what the numbers are in float32, so that one truth does for both.
    parameters = torch.tensor(values)
    p = make(*parameters.to(dtype))
    for low, high in torch.tensor(intervals).tolist():
        at = interval(low, high, dtype)
        truth = exact(name, tuple(parameters.tolist()), low, high)
        if truth < -1e30:
            continue
        found = log_interval_mass(p, at).item()
        assert abs(found - truth) <= tolerance * max(1.0, abs(truth)), (low, high, found, truth)


@pytest.mark.parametrize(("name", "values"), EACH)
def test_cells_of_a_line_sum_to_one(name, values):
    make, _, _, intervals = CASES[name]
    ends = torch.tensor(sorted({e for pair in intervals for e in pair} | {-INF, INF}), dtype=torch.float64)
    low, high = ends[:-1], ends[1:]
    if name in ("log-normal", "gamma", "weibull"):  # what lies below 0 has no logarithm
        low, high = low[high > 0], high[high > 0]
    masses = log_interval_mass(make(*torch.tensor(values, dtype=torch.float64)), Interval(low, high, high - low))
    assert masses.exp().sum().item() == pytest.approx(1.0, rel=1e-10)


@pytest.mark.parametrize(("name", "values"), EACH)
def test_derivatives(name, values):
    make, _, _, intervals = CASES[name]
    low, high = (torch.tensor(ends, dtype=torch.float64) for ends in zip(*intervals, strict=True))
    parameters = [torch.full_like(low, v, requires_grad=True) for v in values]

    def log_mass(*parameters):
        # Of what has any mass in double precision: −10⁵ nats have a derivative that differences do not give.
        mass = log_interval_mass(make(*parameters), Interval(low, high, high - low))
        return torch.where(mass > -800, mass, 0.0)

    assert torch.autograd.gradcheck(log_mass, parameters, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ["normal", "laplace", "logistic", "student-t"])
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_fifty_scales_out_the_gradient_points_home(name, side, dtype):
    make = CASES[name][0]
    scale = 2.0
    parameters = [torch.tensor(v, dtype=dtype, requires_grad=True) for v in (0.0, scale)]
    degrees = [torch.tensor(5.0, dtype=dtype)] if name == "student-t" else []
    middle = side * 50 * scale
    log_mass = log_interval_mass(make(*degrees, *parameters), interval(middle - 0.5, middle + 0.5, dtype))
    slopes = torch.autograd.grad(log_mass, parameters)
    # The mass of a narrow cell is its density: d log p / dμ and d log p / dσ.
    t = 50.0
    expected = {
        "normal": (side * t / scale, (t * t - 1) / scale),
        "laplace": (side / scale, (t - 1) / scale),
        "logistic": (side / scale, (t - 1) / scale),
        "student-t": (side * 6 * t / (5 + t * t) / scale, (6 * t * t / (5 + t * t) - 1) / scale),
    }[name]
    for slope, truth in zip(slopes, expected, strict=True):
        assert slope.item() == pytest.approx(truth, rel=0.05)


def test_a_distribution_without_one_says_so():
    with pytest.raises(ours.UnknownIntervalMass, match="Cauchy"):
        log_interval_mass(dist.Cauchy(0.0, 1.0), interval(0.0, 1.0))
