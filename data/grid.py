"""The lattice that stored data lie on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from obsvae.errors import UsageError

_ROUNDING = 1e-6  # of a step


@dataclass(frozen=True)
class Grid:
    """low + step · k for k = 0 … levels − 1: the lattice that stored data lie on.

    Args:
        low: the lowest value; of a lattice without ends, one of its values.
        step: the distance between neighbours, positive.
        levels: the number of values; None where it has no ends, and k is any whole number.

    """

    low: float
    step: float
    levels: int | None

    def __post_init__(self) -> None:
        if not (self.step > 0 and (self.levels is None or self.levels >= 1)):
            raise UsageError(f"a grid needs step > 0 and levels ≥ 1; got step {self.step}, levels {self.levels}")

    @property
    def high(self) -> float | None:
        """The highest value, where there is one."""
        return None if self.levels is None else self.low + self.step * (self.levels - 1)

    def between(self, bounds: Sequence[float]) -> Self:
        """Return the lattice from one bound to the other where both lie on it, but for rounding errors; else itself."""
        first, last = ((bound - self.low) / self.step for bound in bounds)
        if max(abs(first - round(first)), abs(last - round(last))) > _ROUNDING:
            return self
        return type(self)(float(bounds[0]), self.step, round(last) - round(first) + 1)
