"""Probabilities of intervals, on the log scale, far into the tails and for narrow intervals alike."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

# Gauss–Legendre on [−1, 1]; exact to 1e-12 for the exponentials of ±½ that it is used for.
_NODES, _WEIGHTS = (tuple(a.tolist()) for a in np.polynomial.legendre.leggauss(7))


def log1mexp(t: Tensor) -> Tensor:
    """Return log(1 − eᵗ) for t < 0, elementwise, near 0 and far from it alike."""
    near = t > -math.log(2.0)
    close = torch.log(-torch.expm1(torch.where(near, t, -1.0)))
    return torch.where(near, close, torch.log1p(-torch.exp(torch.where(near, -1.0, t))))


def log_normal_interval(a: Tensor, b: Tensor, width: Tensor) -> Tensor:
    r"""Return log(Φ(b) − Φ(a)) for the standard Normal and a < b, elementwise; a may be −∞ and b ∞.

    By symmetry the interval is put to the left, where Φ keeps its digits. A wide one is then a difference of Φ; for a
    narrow one that would cancel, and the density's integral is taken.

    Args:
        a: lower end.
        b: upper end.
        width: b − a, with the digits that a and b have lost.
    """
    right = a + b > 0
    a, b = torch.where(right, -b, a), torch.where(right, -a, b)
    middle, half = 0.5 * (a + b), 0.5 * width
    narrow = half * (1.0 + middle.abs()) < 0.5
    # Narrow: φ(m + h s) / φ(m) = exp(−h s (m + h s / 2)), whose exponent is below 1.
    m, h = torch.where(narrow, middle, 0.0), torch.where(narrow, half, 0.5)
    average = sum(w * torch.exp(-h * s * (m + 0.5 * h * s)) for s, w in zip(_NODES, _WEIGHTS, strict=True))
    near = -0.5 * (m.square() + math.log(2.0 * math.pi)) + torch.log(h * average)
    # Wide: log Φ(b) + log(1 − Φ(a) / Φ(b))
    # With a finite number for an infinite end, where log Φ has no second derivative.
    has_end = a.isfinite() & ~narrow
    log_high = torch.special.log_ndtr(torch.where(narrow | (b == math.inf), 0.0, b))
    log_high = torch.where(b == math.inf, 0.0, log_high)
    gap = torch.special.log_ndtr(torch.where(has_end, a, -1.0)) - torch.where(has_end, log_high, 0.0)
    far = log_high + torch.where(has_end, log1mexp(gap), 0.0)
    return torch.where(narrow, near, far)


def log_tail_integral(a: Tensor, width: Tensor) -> Tensor:
    r"""Return the log-probability of an interval right of the mean, relative to the density at its start; a > 0.

    .. math:: \log \int_0^w e^{-a s - s^2 / 2} \, ds = \log \frac{\Phi(a + w) - \Phi(a)}{\varphi(a)}
    """
    narrow = width * (1.0 + a + width) < 1.0
    w = torch.where(narrow, width, 1.0)
    s = [0.5 * w * (1.0 + node) for node in _NODES]
    average = 0.5 * sum(weight * torch.exp(-t * (a + 0.5 * t)) for t, weight in zip(s, _WEIGHTS, strict=True))
    near = torch.log(w) + torch.log(torch.where(narrow, average, 1.0))
    w = torch.where(narrow, 1.0, width)
    far = torch.log(_mills(a) - _mills(a + w) * torch.exp(-w * (a + 0.5 * w)))
    return torch.where(narrow, near, far)


def _mills(a: Tensor) -> Tensor:
    """Return Mills' ratio (1 − Φ(a)) / φ(a); for large a by its series, as the derivative of torch's erfcx cancels."""
    is_large = a > 20.0
    inverse = 1.0 / torch.where(is_large, a, 20.0)
    square = inverse * inverse
    series = torch.ones_like(square)
    for odd in range(13, 0, -2):
        series = 1.0 - odd * square * series
    small = math.sqrt(0.5 * math.pi) * torch.special.erfcx(math.sqrt(0.5) * torch.where(is_large, 1.0, a))
    return torch.where(is_large, inverse * series, small)


def log_logistic_interval(a: Tensor, b: Tensor, width: Tensor) -> Tensor:
    r"""Return log(S(b) − S(a)) for the standard logistic S and a < b, elementwise; a may be −∞ and b ∞.

    .. math:: S(b) - S(a) = S(b) \, S(-a) \, (1 - e^{-(b - a)})

    Args:
        a: lower end.
        b: upper end.
        width: b − a, with the digits that a and b have lost.
    """
    return F.logsigmoid(b) + F.logsigmoid(-a) + log1mexp(-width)
