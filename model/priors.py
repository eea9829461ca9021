"""Prior distributions p(z)."""

import pyro.distributions as dist
import torch
from torch import Tensor, nn


class StandardNormal(nn.Module):
    r"""The standard Normal prior.

    .. math:: p(z) = \prod_{d=1}^{D} \mathcal{N}(z_d; 0, 1)

    Args:
        latent: D, the number of latent dimensions; positive.
    """

    zero: Tensor
    one: Tensor

    def __init__(self, latent: int) -> None:
        if latent < 1:
            raise ValueError(f"the prior needs at least 1 latent dimension, but got {latent}")
        super().__init__()
        self.latent = latent
        self.register_buffer("zero", torch.zeros(()), persistent=False)
        self.register_buffer("one", torch.ones(()), persistent=False)

    def forward(self) -> dist.TorchDistribution:
        """Return p(z), with event shape ``(latent,)``."""
        return dist.Normal(self.zero, self.one).expand((self.latent,)).to_event(1)
