"""The two functions that keep the digits of gamma-function families.

Written with log Γ, their log-densities are small differences of large terms: in float32 a Poisson mass at x = 10⁶ has
no correct digit left. Stirling's formula cancels the large terms exactly; a deviance remains, which is small where the
density is not.

Reference: Loader, *Fast and accurate computation of binomial probabilities*, 2000.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

_SERIES_ABOVE = 8.0
# Σ B₂ₙ / (2n (2n − 1) a²ⁿ⁻¹); what it leaves out at a = 8 is below 1e-14.
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
_SERIES_BELOW = 0.5
_TINY = 1e-15  # below, D is nothing beside other terms, and 1 / x² would overflow
_LOG_HUGE = 1e3  # e¹⁰⁰⁰ overflows
# 1/3 + v²/5 + v⁴/7 + …, for |v| ≤ 1/3
_ATANH = tuple(1.0 / (2 * n + 3) for n in range(16))
# Terms of the two series that float32 can tell: what is left out is below 2^-24 of what is kept.
_STIRLING_FLOAT32, _ATANH_FLOAT32 = 4, 9


def _series(coefficients: Sequence[float], u: Tensor) -> Tensor:
    """Return Σ cₙ uⁿ, by Horner's rule."""
    total = torch.full_like(u, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = total * u + coefficient
    return total


def stirling_error(a: Tensor, log_a: Tensor | None = None) -> Tensor:
    r"""Return what Stirling's formula leaves of log Γ(a), elementwise, for a > 0.

    .. math:: \delta(a) = \log \Gamma(a) - \big(a - \tfrac12\big) \log a + a - \tfrac12 \log 2\pi

    Args:
        a: where.
        log_a: log a, for an a that may underflow.
    """
    is_large = a > _SERIES_ABOVE
    large = torch.where(is_large, a, _SERIES_ABOVE)
    small = torch.where(is_large, _SERIES_ABOVE, a)
    inverse = 1.0 / large
    square = inverse * inverse
    series = _series(_STIRLING[:_STIRLING_FLOAT32] if a.dtype == torch.float32 else _STIRLING, square)
    log_small = torch.log(small) if log_a is None else torch.where(is_large, math.log(_SERIES_ABOVE), log_a)
    # By log Γ(1 + a), which is finite at 0
    direct = torch.lgamma(1.0 + small) - (small + 0.5) * log_small + small - 0.5 * math.log(2 * math.pi)
    return torch.where(is_large, series * inverse, direct)


def deviance(x: Tensor, mean: Tensor, log_mean: Tensor | None = None, log_x: Tensor | None = None) -> Tensor:
    r"""Return half a Poisson deviance, elementwise, for x > 0 and mean > 0; 0 where they are equal.

    .. math:: D(x, m) = x \log \frac{x}{m} + m - x \ge 0

    Args:
        x: where.
        mean: m.
        log_mean: log m, for an m that may under- or overflow.
        log_x: log x, for an x that may underflow.
    """
    # Three arms, each on numbers that keep its derivatives finite where another is taken.
    is_moderate = (mean < 1e4 * x) & (mean > 0.05 * x) & (x > _TINY)
    e = torch.where(is_moderate, mean - x, 0.0) / torch.where(is_moderate, x, 1.0)
    is_near = is_moderate & (e.abs() < _SERIES_BELOW)
    near, far = torch.where(is_near, e, 0.0), torch.where(is_moderate & ~is_near, e, 1.0)
    # Near: e − log(1 + e) with log(1 + e) = 2 atanh v
    v = near / (2.0 + near)
    square = v * v
    tail = _series(_ATANH[:_ATANH_FLOAT32] if v.dtype == torch.float32 else _ATANH, square)
    relative = torch.where(is_near, near * v - 2.0 * v * square * tail, far - torch.log1p(far))
    # Extreme: 1 + e = m / x has lost digits, or over- or underflows.
    x_there, mean_there = torch.where(is_moderate, 1.0, x), torch.where(is_moderate, 1.0, mean)
    log_mean_there = torch.log(mean_there) if log_mean is None else torch.where(is_moderate, 0.0, log_mean)
    log_x_there = torch.log(x_there) if log_x is None else torch.where(is_moderate, 0.0, log_x)
    # Where m overflows, log m must not: ∞ − ∞.
    extreme = (mean_there - x_there) + x_there * (log_x_there - log_mean_there.clamp(max=_LOG_HUGE))
    return torch.where(is_moderate, torch.where(is_moderate, x, 1.0) * relative, extreme)
