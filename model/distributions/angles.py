"""The von Mises density."""

import math

import pyro.distributions as dist
import torch
from torch import Tensor


class VonMises(dist.VonMises):
    r"""The von Mises density, by the scaled Bessel function.

    .. math:: p(x) = \frac{e^{\kappa \cos(x - \mu)}}{2 \pi I_0(\kappa)}
              = \frac{e^{-2 \kappa \sin^2 \frac{x - \mu}{2}}}{2 \pi \, e^{-\kappa} I_0(\kappa)}

    torch's cancels at large κ, and its polynomial for I₀ is good to 1e-7 at best.

    Args:
        loc: μ, in radians.
        concentration: κ, positive.
    """

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x), of period 2π."""
        if self._validate_args:
            self._validate_sample(value)
        away = torch.sin(0.5 * (value - self.loc)).square()
        normaliser = math.log(2.0 * math.pi) + torch.log(torch.special.i0e(self.concentration))
        return -2.0 * self.concentration * away - normaliser
