"""The von Mises density."""

import math

import pyro.distributions as dist
import torch
from torch import Tensor

_LOG_2PI = math.log(2.0 * math.pi)
# √(2πκ) e^−κ I₀(κ) = 1 + Σ ((2k − 1)!!)² / (k! 8ᵏ κᵏ)
_ASYMPTOTIC = (1 / 8, 9 / 128, 75 / 1024, 3675 / 32768, 59535 / 262144, 2401245 / 4194304)


class VonMises(dist.VonMises):
    r"""The von Mises density, by the scaled Bessel function.

    .. math:: p(x) = \frac{e^{\kappa \cos(x - \mu)}}{2 \pi I_0(\kappa)}
              = \frac{e^{-2 \kappa \sin^2 \frac{x - \mu}{2}}}{2 \pi \, e^{-\kappa} I_0(\kappa)}

    torch's cancels at large κ: in float32 its error is 0.01 nats at κ = 10⁵.

    Args:
        loc: μ, in radians.
        concentration: κ, positive.
    """

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x), of period 2π."""
        if self._validate_args:
            self._validate_sample(value)
        away = torch.sin(0.5 * (value - self.loc)).square()
        return -2.0 * self.concentration * away - _LOG_2PI - log_i0e(self.concentration)


def log_i0e(kappa: Tensor) -> Tensor:
    """Return log(e^−κ I₀(κ)); for large κ by its asymptotic series, whose derivative does not cancel."""
    is_large = kappa > 100.0
    inverse = 1.0 / torch.where(is_large, kappa, 100.0)
    series = torch.zeros_like(inverse)
    for coefficient in reversed(_ASYMPTOTIC):
        series = inverse * (coefficient + series)
    large = torch.log1p(series) + 0.5 * (torch.log(inverse) - _LOG_2PI)
    return torch.where(is_large, large, torch.log(torch.special.i0e(torch.where(is_large, 1.0, kappa))))
