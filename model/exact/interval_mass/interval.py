"""An interval of the real line, and how changes of variables move it."""

from typing import NamedTuple

import torch
from torch import Tensor


class Interval(NamedTuple):
    """The interval from ``low`` to ``high``, elementwise; ends may be infinite.

    Attributes:
        low: lower end.
        high: upper end.
        width: high − low, kept apart as it has digits that the ends have lost: 0.01 is not 1000.01 − 1000 in float32.
    """

    low: Tensor
    high: Tensor
    width: Tensor

    def standardised(self, loc: Tensor, scale: Tensor) -> "Interval":
        """Return the interval of (x − loc) / scale, scale > 0, in their precision; an infinite end has no derivative.

        The interval may be in double precision: it is rounded where the location has been taken off.
        """

        def move(end: Tensor, by: Tensor | float) -> Tensor:
            finite = end.isfinite()
            standard = (torch.where(finite, end, 0.0) - by).to(loc.dtype) / scale
            return torch.where(finite, standard, end.to(loc.dtype))

        return Interval(move(self.low, loc), move(self.high, loc), move(self.width, 0.0))

    def scaled(self, offset: Tensor, factor: Tensor) -> "Interval":
        """Return the interval of u where x = offset + factor · u; a negative factor swaps the ends."""
        low, high = (self.low - offset) / factor, (self.high - offset) / factor
        swap = factor < 0
        width = self.width / factor.abs()
        return Interval(torch.where(swap, high, low), torch.where(swap, low, high), width)

    def within(self, low: float, high: float) -> "Interval":
        """Return the part between two bounds."""
        a, b = self.low.clamp(low, high), self.high.clamp(low, high)
        whole = (a == self.low) & (b == self.high)
        return Interval(a, b, torch.where(whole, self.width, b - a))

    def double(self) -> "Interval":
        """Return the interval in double precision."""
        return Interval(self.low.double(), self.high.double(), self.width.double())
