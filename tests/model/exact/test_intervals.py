"""Probabilities of intervals, against mpmath in float32, fifty scales out and for narrow intervals."""

import math

import mpmath as mp
import pytest
import torch

from obsvae.model.exact.interval_mass.differences import (
    log1mexp,
    log_logistic_interval,
    log_normal_interval,
    log_tail_integral,
)

AT = [-50.0, -5.0, -0.3, 0.0, 0.1, 1.0, 6.0, 50.0]
WIDTHS = [1e-3, 0.1, 0.5, 1.0, 3.0, 40.0]


def pairs(dtype):
    a = torch.tensor(AT, dtype=dtype).repeat_interleave(len(WIDTHS))
    return a, a + torch.tensor(WIDTHS, dtype=dtype).repeat(len(AT))


def normal(a, b):
    with mp.workdps(60):
        side = -1 if a + b > 0 else 1
        low, high = sorted([side * mp.mpf(a), side * mp.mpf(b)])
        return float(mp.log((mp.erfc(-high / mp.sqrt(2)) - mp.erfc(-low / mp.sqrt(2))) / 2))


def logistic(a, b):
    with mp.workdps(60):
        return float(mp.log(1 / (1 + mp.exp(-mp.mpf(b))) - 1 / (1 + mp.exp(-mp.mpf(a)))))


def log_logistic(a, b):
    return log_logistic_interval(a, b, b - a)


def log_normal(a, b):
    return log_normal_interval(a, b, b - a)


@pytest.mark.parametrize(("ours", "exact"), [(log_normal, normal), (log_logistic, logistic)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-11)])
def test_against_mpmath(ours, exact, dtype, tolerance):
    a, b = pairs(dtype)
    truth = torch.tensor([exact(*p) for p in zip(a.tolist(), b.tolist(), strict=True)], dtype=torch.float64)
    error = (ours(a, b).double() - truth).abs() / truth.abs().clamp_min(1.0)
    # What float32 makes of the width b − a is the inputs' own error, not that of the function.
    assert error.max() < tolerance


@pytest.mark.parametrize("ours", [log_normal, log_logistic])
def test_gradients_are_finite_and_right(ours):
    a, b = (t.requires_grad_() for t in pairs(torch.float64))
    assert torch.autograd.gradcheck(ours, (a, b), rtol=1e-4)
    a, b = (t.requires_grad_() for t in pairs(torch.float32))
    for slope in torch.autograd.grad(ours(a, b).sum(), (a, b)):
        assert slope.isfinite().all()
        assert (slope != 0).any()


@pytest.mark.parametrize(
    ("ours", "log_cdf"), [(log_normal, torch.special.log_ndtr), (log_logistic, torch.nn.functional.logsigmoid)]
)
@pytest.mark.parametrize("at", [0.3, -50.0, 50.0])
def test_infinite_ends(ours, log_cdf, at):
    infinite = torch.tensor([torch.inf])
    a = torch.tensor([at], requires_grad=True)
    torch.testing.assert_close(ours(-infinite, a), log_cdf(a))
    torch.testing.assert_close(ours(a, infinite), log_cdf(-a))
    assert ours(-infinite, infinite).item() == 0
    for value in (ours(-infinite, a), ours(a, infinite)):
        assert torch.autograd.grad(value.sum(), a)[0].isfinite().all()


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-6), (torch.float64, 1e-13)])
def test_tail_integral(dtype, tolerance):
    a = torch.tensor([1e-3, 0.1, 1.0, 10.0, 1e3, 1e5], dtype=dtype).repeat_interleave(len(WIDTHS))
    width = torch.tensor(WIDTHS, dtype=dtype).repeat(6)
    with mp.workdps(60):
        # erfcx, as mpmath has none, by its definition
        def exact(a, w):
            a, w = mp.mpf(a), mp.mpf(w)
            both = mp.erfc(a / mp.sqrt(2)) - mp.erfc((a + w) / mp.sqrt(2))
            return float(mp.log(mp.sqrt(mp.pi / 2) * both) + a * a / 2)

        mp.mp.dps = 60
        truth = [exact(*p) if p[0] < 500 else None for p in zip(a.tolist(), width.tolist(), strict=True)]
    found = log_tail_integral(a, width).double().tolist()
    for value, known, start, w in zip(found, truth, a.tolist(), width.tolist(), strict=True):
        # Far out the integrand is an exponential, to the second order in 1 / a.
        expected = known if known is not None else float(mp.log((1 - mp.exp(-start * w)) / start)) - 1 / start**2
        assert abs(value - expected) <= tolerance * max(1.0, abs(expected)) + (0 if known is not None else 1e-5)


@pytest.mark.parametrize("t", [-1e-30, -1e-5, -0.69, -0.7, -5.0, -80.0])
def test_log1mexp(t):
    with mp.workdps(60):
        truth = float(mp.log(-mp.expm1(mp.mpf(t))))
    assert log1mexp(torch.tensor(t, dtype=torch.float64)).item() == pytest.approx(truth, rel=1e-14)
    single = torch.tensor(t)
    with mp.workdps(60):
        truth = float(mp.log(-mp.expm1(mp.mpf(single.item()))))
    assert log1mexp(single).item() == pytest.approx(truth, rel=2e-7)


def test_the_width_keeps_its_digits_far_from_zero():
    low, width = torch.tensor(10.0), torch.tensor(1e-3)
    truth = log_logistic(low.double(), low.double() + width.double())
    assert log_logistic_interval(low, low + width, width).item() == pytest.approx(truth.item(), abs=2e-6)


def test_derivatives_of_the_tail_integral_keep_their_digits():
    a = torch.tensor([5.0, 19.0, 21.0, 100.0, 5000.0], requires_grad=True)
    width = torch.tensor(3.0)
    (slope,) = torch.autograd.grad(log_tail_integral(a, width).sum(), a, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), a)
    for k, point in enumerate(a.tolist()):
        with mp.workdps(60):

            def exact(t):
                both = mp.erfc(t / mp.sqrt(2)) - mp.erfc((t + 3) / mp.sqrt(2))
                return mp.log(both) + t * t / 2

            first, second = float(mp.diff(exact, point)), float(mp.diff(exact, point, 2))
        assert slope[k].item() == pytest.approx(first, rel=1e-4)
        assert curvature[k].item() == pytest.approx(second, rel=2e-2)


@pytest.mark.parametrize("location", [math.inf, -math.inf])
def test_a_location_that_overflows_leaves_nothing_for_cells_far_from_it(location):
    low, high = torch.tensor([-0.5, 3.5]).double() - location, torch.tensor([0.5, 4.5]).double() - location
    for log_interval in (log_normal_interval, log_logistic_interval):
        assert torch.equal(log_interval(low, high, torch.ones(2).double()), torch.full((2,), -math.inf).double())
