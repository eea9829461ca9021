"""The standard Normal prior."""

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.distribution import Distribution
from obsvae.model.priors.base import Prior


class StandardNormal(Prior):
    r"""The standard Normal prior.

    .. math:: p(z) = \prod_{d=1}^{D} \mathcal{N}(z_d; 0, 1)

    Args:
        latent: D, the number of latent dimensions; positive.
    """

    zero: Tensor
    one: Tensor

    def __init__(self, latent: int) -> None:
        super().__init__(latent)
        self.register_buffer("zero", torch.zeros(()), persistent=False)
        self.register_buffer("one", torch.ones(()), persistent=False)

    def forward(self) -> Distribution:
        """Return p(z), with event shape ``(latent,)``."""
        return dist.Normal(self.zero, self.one).expand((self.latent,)).to_event(1)
