"""The type of a distribution, which tells a misspelt method from one that there is."""

from typing import TYPE_CHECKING

import torch
from pyro.distributions.torch_distribution import TorchDistribution
from torch import Size, Tensor

Shape = Size | list[int] | tuple[int, ...]

if TYPE_CHECKING:

    class Distribution(torch.distributions.Distribution):
        """A distribution of Pyro: one of torch with the methods that Pyro adds.

        Pyro's own ``TorchDistribution`` derives from ``typing.Callable``, which no class can: type checkers therefore
        let every name pass on it. It is assignable to this type, which lists what there is.
        """

        @property
        def event_dim(self) -> int:
            """The number of dimensions of an event."""

        def __call__(self, sample_shape: Shape = ...) -> Tensor:
            """Draw x."""

        def shape(self, sample_shape: Shape = ...) -> Size:
            """Return the shape of a draw."""

        def expand(self, batch_shape: Shape, _instance: object = None) -> "Distribution":
            """Return the same distribution over a larger batch shape."""

        def to_event(self, reinterpreted_batch_ndims: int | None = None) -> TorchDistribution:
            """Return the distribution whose last batch dimensions are those of an event."""

        def mask(self, mask: bool | Tensor) -> TorchDistribution:
            """Return the distribution whose log-probabilities are 0 where the mask is false."""

else:
    Distribution = torch.distributions.Distribution
