"""The probability of an interval under families whose distribution function torch lacks, by quadrature.

torch has no incomplete beta function, and no derivative of the incomplete gamma function in its parameter. In a
suitable coordinate each of these densities is log-concave, with a known mode: there a few dozen nodes, put where the
mass of the interval is, give it to double precision and differentiably.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from obsvae.model.exact.continuous.beta import Beta
from obsvae.model.exact.continuous.gamma import Gamma
from obsvae.model.exact.continuous.student_t import StudentT
from obsvae.model.exact.continuous.von_mises import VonMises, log_i0e
from obsvae.model.exact.discrete.deviance import stirling_error
from obsvae.model.exact.interval_mass.closed_form import log_interval_mass, logarithm, logit
from obsvae.model.exact.interval_mass.interval import Interval

_LOG_2PI = math.log(2.0 * math.pi)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(56)
# What lies further below the peak than this is left out: e^−36 is double precision's rounding.
_NATS = 36.0
# How far from the peak that may be, in octaves.
_OCTAVES = (-40.0, 216.0)
_LARGE = 600.0  # its exponential is finite in double precision
# Least logarithm of a concentration, by whose inverse the log-density may fall as slowly as that.
_LEAST = -140.0


def log_integral(log_density: Callable[[Tensor], Tensor], low: Tensor, high: Tensor, mode: Tensor) -> Tensor:
    """Return log ∫ exp(log_density(v)) dv from low to high, elementwise, in double precision.

    Gauss–Legendre on either side of the mode, or of the end that is nearest to it, out to where the integrand has
    fallen by 36 nats or the interval ends. Its nodes go by cubes, as the integrand may bend sharply near the mode and
    fall slowly after it.

    Args:
        log_density: concave, or at least falling on both sides of its mode.
        low: lower end, which may be −∞.
        high: upper end, which may be ∞.
        mode: where log_density is greatest.
    """
    with torch.no_grad():
        start = torch.minimum(torch.maximum(mode, low), high)
        floor = log_density(start) - _NATS
        first, last = (start + side * _reach(log_density, start, floor, side) for side in (-1.0, 1.0))
    # The end nearest to the mode moves with its parameters, as do the others.
    nearest = torch.where(mode < low, low, torch.where(mode > high, high, start))
    left = nearest - torch.where(low > first, low, first)
    right = torch.where(high < last, high, last) - nearest
    shape = (-1, *(1 for _ in start.shape))
    t = 0.5 + 0.5 * torch.as_tensor(_NODES, device=low.device).reshape(shape)
    weight = 1.5 * t.square() * torch.as_tensor(_WEIGHTS, device=low.device).reshape(shape)
    cube = t**3
    on_left = torch.exp(log_density(nearest - left * cube) - floor - _NATS)
    on_right = torch.exp(log_density(nearest + right * cube) - floor - _NATS)
    total = (weight * (left * on_left + right * on_right)).sum(0)
    # Where the interval is so far out that its ends are one number, nothing is left.
    return torch.log(torch.where(total > 0, total, 1.0)) + torch.where(total > 0, floor + _NATS, -math.inf)


def _reach(log_density: Callable[[Tensor], Tensor], start: Tensor, floor: Tensor, side: float) -> Tensor:
    """Return how far from the start, to within half an octave, the log-density falls to the floor."""
    lower, upper = (torch.full_like(floor, octave) for octave in _OCTAVES)
    for _ in range(9):  # halving 256 octaves to a half
        middle = 0.5 * (lower + upper)
        is_near = log_density(start + side * torch.exp2(middle)) > floor
        lower, upper = torch.where(is_near, middle, lower), torch.where(is_near, upper, middle)
    return torch.exp2(upper)


def _logarithm(value: Tensor, log_value: Tensor) -> Tensor:
    """Return a logarithm in double precision: of the value, which has more digits, unless it under- or overflows."""
    is_normal = (value >= torch.finfo(value.dtype).tiny) & value.isfinite()
    return torch.where(is_normal, torch.log(torch.where(is_normal, value.double(), 1.0)), log_value.double())


@log_interval_mass.register
def _(p: Beta, interval: Interval) -> Tensor:
    # v = logit x; at its mode, logit α / n, the deviances vanish.
    all_log_a = _logarithm(p.concentration1, p.log_concentration1)
    all_log_b = _logarithm(p.concentration0, p.log_concentration0)
    log_a, log_b = all_log_a.clamp(min=_LEAST), all_log_b.clamp(min=_LEAST)
    a, b = torch.exp(log_a), torch.exp(log_b)
    n = a + b
    log_share, log_rest = log_a - torch.log(n), log_b - torch.log(n)

    def log_density(v: Tensor) -> Tensor:
        # Not a v − n log(1 + eᵛ): with b = 10⁻²⁰ it falls by −b v, which is lost between two terms of size a v.
        return a * (F.logsigmoid(v) - log_share) + b * (F.logsigmoid(-v) - log_rest)

    low, high, _ = logit(interval)
    peak = 0.5 * (log_a + log_rest - _LOG_2PI) + stirling_error(n) - stirling_error(a) - stirling_error(b)
    mass = peak + log_integral(log_density, low, high, log_a - log_b)
    # A smaller concentration keeps all mass at its bound, and the mass elsewhere is in proportion to it.
    mass = mass + torch.where(low.isinf(), 0.0, all_log_a - log_a) + torch.where(high.isinf(), 0.0, all_log_b - log_b)
    return mass.to(p.concentration1.dtype)


@log_interval_mass.register
def _(p: Gamma, interval: Interval) -> Tensor:
    # v = log βx, with its mode at log α
    a = p.concentration.double()
    log_rate = torch.log(a) - p.log_mean.double()  # with digits that the rate in float32 has lost

    def log_density(v: Tensor) -> Tensor:
        s = v - torch.log(a)
        return a * (s - torch.expm1(s.clamp(max=_LARGE)))

    low, high, _ = logarithm(interval)
    peak = 0.5 * (torch.log(a) - _LOG_2PI) - stirling_error(a)
    return (peak + log_integral(log_density, low + log_rate, high + log_rate, torch.log(a))).to(p.concentration.dtype)


@log_interval_mass.register
def _(p: StudentT, interval: Interval) -> Tensor:
    # x = μ + σ √ν sinh v, where the density is in proportion to (cosh v)^−ν
    df = p.df.double()
    root = torch.sqrt(df)

    def log_density(v: Tensor) -> Tensor:
        size = v.abs()
        return -df * (size + torch.log1p(torch.exp(-2.0 * size)) - math.log(2.0))

    t = interval.double().standardised(p.loc.double(), p.scale.double() * root)
    low, high = (torch.where(e.isfinite(), torch.asinh(torch.where(e.isfinite(), e, 0.0)), e) for e in (t.low, t.high))
    half = 0.5 * df
    # log Γ(h + ½) − log Γ(h) − ½ log 2π
    gammas = half * torch.log1p(0.5 / half) + 0.5 * (torch.log(half) - 1.0 - _LOG_2PI)
    peak = gammas + stirling_error(half + 0.5) - stirling_error(half) + 0.5 * math.log(2.0)
    return (peak + log_integral(log_density, low, high, torch.zeros_like(low))).to(p.loc.dtype)


@log_interval_mass.register
def _(p: VonMises, interval: Interval) -> Tensor:
    # Of period 2π: an interval may reach over ±π. Infinite ends stand for them.
    low = interval.low.double().nan_to_num(neginf=-math.pi)
    high = interval.high.double().nan_to_num(posinf=math.pi)
    kappa, loc = p.concentration.double(), p.loc.double()
    # The mean direction on the turn that the interval is on, and the interval in two where the opposite one lies in it.
    loc = loc + 2.0 * math.pi * torch.round((0.5 * (low + high) - loc) / (2.0 * math.pi)).detach()
    above = low + high > 2.0 * loc
    opposite = torch.where(above, loc + math.pi, loc - math.pi)
    cut = torch.minimum(torch.maximum(opposite, low), high)
    parts = cut.isfinite() & (cut > low) & (cut < high)

    def log_mass(a: Tensor, b: Tensor, mode: Tensor) -> Tensor:
        def log_density(v: Tensor) -> Tensor:
            # It falls for half a turn; further out only the search for its reach looks.
            return -2.0 * kappa * torch.sin(0.5 * (v - mode).clamp(-math.pi, math.pi)).square()

        return log_integral(log_density, a, b, mode)

    # Each part has the mean direction on its own side of the cut.
    turn = 2.0 * math.pi * parts.double()
    first = log_mass(low, torch.where(parts, cut, high), loc - torch.where(above, 0.0, turn))
    second = log_mass(torch.where(parts, cut, low), high, loc + torch.where(above, turn, 0.0))
    total = torch.where(parts, torch.logaddexp(first, second), first)
    return (total - _LOG_2PI - log_i0e(kappa)).to(p.loc.dtype)
