"""The prior of independent Normals that are learned."""

import math

import pyro.distributions as dist
import torch
from torch import nn
from torch.nn import functional as F

from obsvae.distribution import Distribution
from obsvae.model.priors.base import Prior


def raw_of(scale: float) -> float:
    """Return the number whose softplus is ``scale``."""
    return math.log(math.expm1(scale))


class NormalPrior(Prior):
    r"""Independent Normals with learned means and scales, at first the standard Normal.

    .. math:: p(z) = \prod_{d=1}^{D} \mathcal{N}(z_d; \mu_d, \sigma_d^2), \qquad
              \sigma_d = \text{floor} + \operatorname{softplus}(r_d)

    Args:
        latent: D, the number of latent dimensions; positive.
        floor: least σ.
    """

    def __init__(self, latent: int, floor: float = 1e-3) -> None:
        super().__init__(latent)
        self.floor = floor
        self.loc = nn.Parameter(torch.zeros(latent))
        self.raw = nn.Parameter(torch.full((latent,), raw_of(1.0 - floor)))

    def forward(self) -> Distribution:
        """Return p(z), with event shape ``(latent,)``."""
        return dist.Normal(self.loc, self.floor + F.softplus(self.raw)).to_event(1)
