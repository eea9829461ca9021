"""What a column looks like: its range, its zeros, its steps."""

import math
from dataclasses import dataclass

import numpy as np

from obsvae.data.tables.parsed import Parsed

DECIMALS = 6  # more make a grid that no data tell from none


@dataclass(frozen=True)
class Seen:
    """What a column looks like.

    Args:
        rows: N.
        missing: how many values are missing.
        distinct: how many distinct values there are, of numbers or of texts.
        low: the least number; None where there is none.
        high: the greatest number.
        zeros: how many numbers are 0.
        at_low: how many are the least.
        at_high: how many are the greatest.
        phase: a value of the lattice of `step`, from 0 to below it.
        step: the greatest distance of which all differences are whole multiples; None where there is none of at most
            six decimals.

    """

    rows: int
    missing: int
    distinct: int
    low: float | None = None
    high: float | None = None
    zeros: int = 0
    at_low: int = 0
    at_high: int = 0
    phase: float | None = None
    step: float | None = None

    @property
    def present(self) -> int:
        """The number of values that are not missing."""
        return self.rows - self.missing


def see(column: Parsed) -> Seen:
    """Return what a column looks like."""
    rows, missing = len(column.missing), len(column.missing) - column.present
    values, counts = column.distinct
    if not len(values) or column.wrong.any():
        return Seen(rows, missing, len(column.texts[0]))
    at = int(np.searchsorted(values, 0.0))
    zeros = int(counts[at]) if at < len(values) and values[at] == 0 else 0
    phase, step = lattice_of(values) or (None, None)
    ends = float(values[0]), float(values[-1]), zeros, int(counts[0]), int(counts[-1])
    return Seen(rows, missing, len(values), *ends, phase, step)


def lattice_of(values: np.ndarray) -> tuple[float, float] | None:
    """Return the phase and the step of the coarsest lattice that distinct, sorted numbers lie on; None for none.

    The phase is from 0 to below the step, and 0 where all values are multiples of the step. Numbers that were rounded
    to float32 or added up are taken for the decimals that they come from.
    """
    if len(values) < 2:
        return None
    for decimals in range(DECIMALS + 1):
        scaled = values * 10.0**decimals
        size = max(abs(float(scaled[0])), abs(float(scaled[-1])))
        if size > 2**53:
            return None
        whole = np.rint(scaled)
        # Beyond a thousandth of a step rounding errors could make any number a decimal.
        noise = min(1e-3, 1e-6 + 1e-7 * size)
        if float(np.abs(scaled - whole).max()) <= noise:
            numbers = whole.astype(np.int64)
            step = int(np.gcd.reduce(numbers[1:] - numbers[0]))
            if step == 0:  # values closer than this many decimals tell
                continue
            unit = 10**decimals
            return int(numbers[0]) % step / unit, step / unit
    return None


def quantile(column: Parsed, share: float) -> float:
    """Return the value below which this share of the numbers lies."""
    values, counts = column.distinct
    upto = counts.cumsum()
    return float(values[min(int(np.searchsorted(upto, share * upto[-1])), len(values) - 1)])


def moments(column: Parsed) -> tuple[float, float]:
    """Return the mean and the variance of the numbers."""
    values, counts = column.distinct
    N = int(counts.sum())
    mean = float(values @ counts) / N
    deviations = values - mean
    return mean, float((deviations * deviations) @ counts) / N if math.isfinite(mean) else math.inf
