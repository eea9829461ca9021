"""Prior distributions p(z)."""

from abc import abstractmethod
from typing import TYPE_CHECKING

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.module import TypedModule
from obsvae.names import lookup


class Prior(TypedModule):
    """A distribution p(z) of a latent of a given size.

    Args:
        latent: D, the number of latent dimensions; positive.

    Raises:
        UsageError: for fewer than one.
    """

    def __init__(self, latent: int) -> None:
        if latent < 1:
            raise UsageError(f"the prior needs at least 1 latent dimension, but got {latent}")
        super().__init__()
        self.latent = latent

    if TYPE_CHECKING:

        def __call__(self) -> Distribution:
            """Return p(z), as :meth:`forward` does."""

    @abstractmethod
    def forward(self) -> Distribution:
        """Return p(z), with an empty batch shape and event shape ``(latent,)``."""


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


PRIORS: dict[str, type[Prior]] = {"standard-normal": StandardNormal}


def make_prior(name: str, latent: int) -> Prior:
    """Return a prior by name, for a latent of a given size.

    Raises:
        UsageError: for an unknown name, naming the nearest known one.
    """
    return lookup("prior", name, PRIORS)(latent)
