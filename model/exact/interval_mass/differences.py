"""Probabilities of intervals, on the log scale, far into the tails and for narrow intervals alike."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

_LOG_2PI = math.log(2.0 * math.pi)
# That many standard deviations out, nothing of a Normal is left in double precision.
_NOTHING = 40.0
# From here on Mills' ratio is a polynomial; before, the derivatives of Φ and erfcx have their digits.
_FAR = 8.0

# Below, 1 − exp(−eˢ) is eˢ − e²ˢ / 2 to double precision; above, it is 1.
_LOG_TINY, _LOG_MANY = -17.0, 5.0


def _symmetric(count: int) -> tuple[float, tuple[tuple[float, float], ...]]:
    """Return an odd Gauss–Legendre rule on [−1, 1]: the weight of 0, and nodes above it with their weights."""
    nodes, weights = (a[count // 2 :].tolist() for a in np.polynomial.legendre.leggauss(count))
    return weights[0], tuple(zip(nodes[1:], weights[1:], strict=True))


def _mills_coefficients(degree: int) -> tuple[float, ...]:
    """Return the polynomial in (8 / a)², highest order first, of a times Mills' ratio, by Chebyshev interpolation."""

    def scaled(x: np.ndarray) -> np.ndarray:
        a = _FAR / torch.from_numpy(x).sqrt()
        return (a * _erfcx_mills(a)).numpy()

    found = np.polynomial.Chebyshev.interpolate(scaled, degree, domain=[0.0, 1.0])
    return tuple(found.convert(kind=np.polynomial.Polynomial).coef[::-1].tolist())


def log1mexp(t: Tensor) -> Tensor:
    """Return log(1 − eᵗ) for t < 0, elementwise, near 0 and far from it alike."""
    near = t > -math.log(2.0)
    close = torch.log(-torch.expm1(torch.where(near, t, -1.0)))
    return torch.where(near, close, torch.log1p(-torch.exp(torch.where(near, -1.0, t))))


def log1mexpexp(s: Tensor) -> Tensor:
    """Return log(1 − exp(−eˢ)), elementwise, where eˢ may under- or overflow: s far to the left, 0 far to the right."""
    small = s < _LOG_TINY
    within = log1mexp(-torch.exp(torch.where(small, 0.0, s).clamp(max=_LOG_MANY)))
    return torch.where(small, s - 0.5 * torch.exp(s.clamp(max=_LOG_TINY)), within)


def log_minus_log1mexp(t: Tensor) -> Tensor:
    """Return log(−log(1 − eᵗ)) for t < 0, elementwise, where eᵗ may underflow: t far to the left."""
    small = t < _LOG_TINY
    return torch.where(small, t + 0.5 * torch.exp(t), torch.log(-log1mexp(torch.where(small, -1.0, t))))


def ndtr(t: Tensor) -> Tensor:
    """Return Φ(t), with its digits in the lower tail: torch's rounds to 0 below −5.5 in float32, −8.3 in float64."""
    return 0.5 * torch.erfc(-math.sqrt(0.5) * t)


def log_normal_interval(a: Tensor, b: Tensor, width: Tensor) -> Tensor:
    r"""Return log(Φ(b) − Φ(a)) for the standard Normal and a < b, elementwise; a may be −∞ and b ∞.

    By symmetry the interval is put to the left, where Φ keeps its digits. A narrow one is the density's integral; a
    wide one is a difference of Φ. Far out it is the density at the upper end times a difference of Mills' ratios: the
    derivative of log Φ(b) loses all its digits there to terms of size b² that cancel.

    Args:
        a: lower end.
        b: upper end.
        width: b − a, with the digits that a and b have lost.
    """
    right = a + b > 0
    a, b = torch.where(right, -b, a), torch.where(right, -a, b)
    middle, half = 0.5 * (a + b), 0.5 * width
    narrow = half * (1.0 + middle.abs()) < 0.25
    is_far = (b < -_FAR) & ~narrow
    # Each arm is taken at numbers that keep its derivatives finite where another is the one.
    m, h = torch.where(narrow, middle, 0.0), half.clamp(max=0.25)
    near = -0.5 * (m.square() + _LOG_2PI) + torch.log(h * _integral(h * m, 0.5 * h.square()))
    start = (-b).clamp(min=_FAR)
    far = -0.5 * (start.square() + _LOG_2PI) + _log_far_tail(start, torch.where(narrow, _NOTHING, width))
    below = torch.where(narrow | is_far, -1.0, ndtr(a.clamp(min=-_NOTHING)))
    is_left = b < 0
    upper = ndtr(torch.where(is_left, b, -b).clamp(min=-_NOTHING))  # Φ(b), or what lies beyond b
    left = torch.log(torch.where(is_left, upper - below, 1.0))
    wide = torch.where(is_left, left, torch.log1p(-(upper + below)))
    return torch.where(narrow, near, torch.where(is_far, far, wide))


def log_tail_integral(a: Tensor, width: Tensor) -> Tensor:
    r"""Return the log-probability of an interval right of the mean, relative to the density at its start; a > 0.

    .. math:: \log \int_0^w e^{-a s - s^2 / 2} \, ds = \log \frac{\Phi(a + w) - \Phi(a)}{\varphi(a)}
    """
    half = 0.5 * width
    narrow = half * (1.0 + a + half) < 0.25
    is_far = a > _FAR
    # From the middle, a + h
    h, at = half.clamp(max=0.25), torch.where(narrow, a, 0.0)
    near = torch.log(h * _integral(h * (at + h), 0.5 * h.square())) - h * (at + 0.5 * h)
    w = torch.where(narrow, _NOTHING, width).clamp(max=_NOTHING)
    start = torch.where(is_far, 1.0, a)
    beyond = _erfcx_mills(start + w) * torch.exp(-w * (start + 0.5 * w))
    wide = torch.log(_erfcx_mills(start) - beyond)
    return torch.where(narrow, near, torch.where(is_far, _log_far_tail(a.clamp(min=_FAR), w), wide))


def _integral(p: Tensor, q: Tensor) -> Tensor:
    """Return ∫ exp(−p s − q s²) ds from −1 to 1, for p and q up to ¼."""
    middle, pairs = _QUADRATURE[p.dtype]
    total = torch.full_like(p, middle)
    for s, weight in pairs:
        total = total + weight * (torch.exp(s * p - s * s * q) + torch.exp(-s * p - s * s * q))
    return total


def _log_far_tail(a: Tensor, width: Tensor) -> Tensor:
    """Return the integral of :func:`log_tail_integral` for a ≥ 8 and a width that is not small beside 1 / a."""
    w, inverse = width.clamp(max=_NOTHING), 1.0 / a
    beyond = _scaled_mills(1.0 / (a + w)) / (1.0 + w * inverse) * torch.exp(-w * (a + 0.5 * w))
    return torch.log(_scaled_mills(inverse) - beyond) - torch.log(a)


def _scaled_mills(inverse: Tensor) -> Tensor:
    """Return a times Mills' ratio (1 − Φ(a)) / φ(a), which goes to 1, from 1 / a for a ≥ 8."""
    x = (_FAR * inverse).square()
    first, *others = _MILLS[x.dtype]
    value = torch.full_like(x, first)
    for coefficient in others:
        value = value * x + coefficient
    return value


def _erfcx_mills(a: Tensor) -> Tensor:
    """Return Mills' ratio for smaller a; far out the derivative of torch's erfcx cancels."""
    return math.sqrt(0.5 * math.pi) * torch.special.erfcx(math.sqrt(0.5) * a)


def log_logistic_interval(a: Tensor, b: Tensor, width: Tensor) -> Tensor:
    r"""Return log(S(b) − S(a)) for the standard logistic S and a < b, elementwise; a may be −∞ and b ∞.

    .. math:: S(b) - S(a) = S(b) \, S(-a) \, (1 - e^{-(b - a)})

    Args:
        a: lower end.
        b: upper end.
        width: b − a, with the digits that a and b have lost.
    """
    return F.logsigmoid(b) + F.logsigmoid(-a) + log1mexp(-width)


# To the rounding of either precision
_QUADRATURE = {torch.float32: _symmetric(3), torch.float64: _symmetric(5)}
_MILLS = {torch.float32: _mills_coefficients(4), torch.float64: _mills_coefficients(10)}
