"""What the network of an encoder sees of a datum."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from obsvae.module import TypedModule
from obsvae.units import mean_of, unit_shape_of, usual_units, variance_of


class Inputs(TypedModule):
    """A map from x in data units to numbers of size one.

    Attributes:
        shape: of what it returns for a datum.

    Shapes: ``(*batch, *event)`` to ``(*batch, *shape)``.
    """

    shape: tuple[int, ...]

    if TYPE_CHECKING:

        def __call__(self, x: Tensor) -> Tensor:
            """Return what the network sees, as :meth:`forward` does."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Return what the network sees of x."""

    @abstractmethod
    def initialise(self, x: Tensor) -> None:
        """Take statistics from training data x ``(N, *event)``."""


class Standardised(Inputs):
    """x less the mean of its unit, in multiples of the standard deviation; 0 for a missing entry.

    Args:
        event_shape: shape of one datum.
        unit_shape: shape of the statistics, with 1 for axes whose entries share a unit; by default columns of vectors
            and channels of images have a unit each, and other images have one.
        has_missing: whether entries may be missing (NaN): then whether each is seen stands beside it, and the shape of
            what is returned is ``(2, *event)``.
    """

    offset: Tensor
    scale: Tensor

    def __init__(
        self, event_shape: Sequence[int], unit_shape: Sequence[int] | None = None, has_missing: bool = False
    ) -> None:
        super().__init__()
        self.has_missing, self.axes = has_missing, len(event_shape)
        self.shape = (2, *event_shape) if has_missing else tuple(event_shape)
        unit_shape = unit_shape_of(event_shape, usual_units(event_shape)) if unit_shape is None else unit_shape
        self.register_buffer("offset", torch.zeros(tuple(unit_shape)))
        self.register_buffer("scale", torch.ones(tuple(unit_shape)))

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Take the mean and standard deviation of each unit, over the entries that are seen."""
        self.offset.copy_(mean_of(x, self.offset.shape))
        spread = variance_of(x, self.scale.shape).sqrt()
        # A constant unit is 0 once its mean is taken off, whatever it is divided by.
        self.scale.copy_(torch.where(spread > 0, spread, 1.0))

    def forward(self, x: Tensor) -> Tensor:
        """Return x standardised, with whether it is seen where entries may be missing."""
        u = (x - self.offset) / self.scale
        if not self.has_missing:
            return u
        seen = ~torch.isnan(u)
        return torch.stack([torch.where(seen, u, 0.0), seen.to(u.dtype)], -1 - self.axes)
