"""The base class of priors p(z)."""

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.module import TypedModule
from obsvae.options import Option


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
