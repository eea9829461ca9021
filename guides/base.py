"""The base class of amortised guides q(z | x)."""

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from obsvae.guides.encoders import Encoder
from obsvae.local import LocalModule


class Guide(LocalModule):
    """A Pyro program that samples the site ``z`` in the plate ``data``, given x.

    Args:
        encoder: the network from x to the parameters of q(z | x).

    Attributes:
        has_density: whether q(z | x) has a density: a point mass has none, so that training leaves out the KL term,
            and it cannot propose particles.
    """

    has_density: ClassVar[bool] = True

    if TYPE_CHECKING:

        def __call__(self, x: Tensor) -> Tensor:
            """Sample z, as :meth:`forward` does."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    @staticmethod
    @abstractmethod
    def outputs(latent: int) -> int:
        """Return how many outputs the encoder needs for a latent of this size."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Sample z ``(N, D)`` given x ``(N, *event)``: batch shape ``(N,)``, event shape ``(D,)``."""

    @property
    def initialised(self) -> Tensor:
        """Whether :meth:`initialise` was called, on these weights or before they were saved."""
        return self.encoder.initialised

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Take the encoder's input statistics from training data x ``(N, *event)``."""
        self.encoder.initialise(x)
