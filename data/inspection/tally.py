"""The distinct numbers of a variable, and how often each is there."""

import math
from functools import cached_property

import numpy as np

_COUNTABLE = 2**21  # whole numbers up to here are counted without sorting
_MANY = 2**16  # numbers from which on that is faster


class Tally(tuple[np.ndarray, np.ndarray]):
    """The distinct numbers of a variable, ascending, and how often each is there: a pair ``(values, counts)``."""

    @cached_property
    def total(self) -> int:
        """The number of numbers."""
        return int(self[1].sum())

    @cached_property
    def mean(self) -> float:
        """The mean of the numbers; NaN of none."""
        values, _ = self
        return float(values @ self._weights) if self.total else math.nan

    def moment(self, power: int) -> float:
        """Return the mean of a power, 2 or more, of the differences from the mean; NaN of none, infinite with these."""
        values, _ = self
        if not math.isfinite(self.mean):
            return self.mean
        differences = values - self.mean
        raised = differences * differences
        for _ in range(power - 2):  # many times faster than **
            raised *= differences
        return float(raised @ self._weights)

    def quantile(self, share: float) -> float:
        """Return the least number that this share of the numbers does not exceed."""
        values, _ = self
        return float(values[min(int(np.searchsorted(self._up_to, share * self._up_to[-1])), len(values) - 1)])

    def count_of(self, value: float) -> int:
        """Return how many numbers are exactly this one."""
        values, counts = self
        at = int(np.searchsorted(values, value))
        return int(counts[at]) if at < len(values) and values[at] == value else 0

    def share_of(self, value: float) -> float:
        """Return the share of the numbers that are exactly this one; NaN of none."""
        return self.count_of(value) / self.total if self.total else math.nan

    @cached_property
    def _weights(self) -> np.ndarray:
        return self[1] / self.total

    @cached_property
    def _up_to(self) -> np.ndarray:
        return self[1].cumsum()


def tally_of(x: np.ndarray) -> Tally:
    """Return the distinct numbers of x, in float64, and how often each is there.

    Args:
        x: floats of any shape; NaN is left out.
    """
    x = x[~np.isnan(x)] if np.isnan(x).any() else x.ravel()
    found = _counted(x) if len(x) >= _MANY else None
    values, counts = np.unique(x, return_counts=True) if found is None else found
    return Tally((values.astype(np.float64), counts))


def _counted(x: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the distinct numbers, and how often each is there, if all are whole and small; None otherwise."""
    if x.min() < 0 or x.max() >= _COUNTABLE:
        return None
    counts = np.zeros(int(x.max()) + 1, np.intp)
    for start in range(0, len(x), _COUNTABLE):
        part = x[start : start + _COUNTABLE]
        whole = part.astype(np.intp)
        if (whole != part).any():
            return None
        counts += np.bincount(whole, minlength=len(counts))
    values = np.flatnonzero(counts)
    return values, counts[values]
