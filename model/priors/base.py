"""The base class of priors p(z)."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

from torch import Tensor

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.module import TypedModule
from obsvae.options import Option


class Posterior(Protocol):
    """What a prior may share of a guide."""

    @property
    def has_density(self) -> bool: ...  # noqa: D102 - described in Guide
    @property
    def conditions(self) -> int: ...  # noqa: D102 - described in Guide
    def given(self, x: Tensor) -> Distribution:
        """Return q(z | x) for x ``(N, *event)``."""


class Prior(TypedModule):
    """A distribution p(z) of a latent of a given size.

    Args:
        latent: D, the number of latent dimensions; positive.

    Attributes:
        options: keyword arguments, beside the latent, that a text such as ``mixture:components=20`` may give.

    Raises:
        UsageError: for fewer than one.
    """

    options: ClassVar[tuple[Option, ...]] = ()

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

    def join(self, guide: Posterior, event_shape: Sequence[int]) -> None:
        """Take what the prior shares with the guide of the pair, for data of a shape: nothing."""

    def initialise(self, x: Tensor) -> None:
        """Start from training data x ``(N, *event)``: nothing of it is needed."""
