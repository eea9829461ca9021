"""The base class of amortised guides q(z | x)."""

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import pyro
import torch
from torch import Tensor

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.guides.encoders import Encoder
from obsvae.local import LocalModule
from obsvae.options import Option


class Guide(LocalModule):
    """A Pyro program that samples the site ``z`` in the plate ``data``, given x, and conditions c where there are any.

    Args:
        encoder: the network from x to the parameters of q(z | x).

    Attributes:
        has_density: whether q(z | x) has a density: a point mass has none, so that training leaves out the KL term,
            and it cannot propose particles.
        options: keyword arguments, beside the encoder, that a text such as ``low-rank:rank=8`` may give. ``outputs``
            takes them, too.
    """

    has_density: ClassVar[bool] = True
    options: ClassVar[tuple[Option, ...]] = ()

    if TYPE_CHECKING:

        def __call__(self, x: Tensor, c: Tensor | None = None) -> Tensor:
            """Sample z, as :meth:`forward` does."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    @staticmethod
    @abstractmethod
    def outputs(latent: int) -> int:
        """Return how many outputs the encoder needs for a latent of this size, and for the guide's options, if any."""

    @abstractmethod
    def given(self, x: Tensor, c: Tensor | None = None) -> Distribution:
        """Return q(z | x, c) for x ``(N, *event)`` and c ``(N, C)``: batch shape ``(N,)``, event shape ``(D,)``."""

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Sample z ``(N, D)`` given x ``(N, *event)``, and c ``(N, C)`` where the guide has conditions."""
        with pyro.plate("data", len(x), dim=-1):
            return pyro.sample("z", self.given(x, c))  # type: ignore[arg-type]  # for the types see Distribution

    @property
    def conditions(self) -> int:
        """C, how many numbers are given beside x."""
        return self.encoder.conditions

    @property
    def initialised(self) -> Tensor:
        """Whether :meth:`initialise` was called, on these weights or before they were saved."""
        return self.encoder.initialised

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Take the encoder's input statistics from training data x ``(N, *event)``."""
        self.encoder.initialise(x)


def latent_of(encoder: Encoder, needs: str, solution: float) -> int:
    """Return the size of z that an encoder's outputs make.

    Args:
        encoder: of the guide.
        needs: the outputs of a latent of size D in words, for the message.
        solution: the D of which that many are needed, a positive whole number where the encoder fits.

    Raises:
        UsageError: where it does not.
    """
    D = round(solution)
    if D < 1 or solution != D:
        raise UsageError(f"the guide needs an encoder with {needs} for D latents, but it has {encoder.outputs}")
    return D
