"""What a column looks like: its range, its zeros, its steps."""

from dataclasses import dataclass

from obsvae.data.inspection.lattice import lattice_of
from obsvae.data.tables.parsed import Parsed


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
    zeros = column.distinct.count_of(0.0)
    phase, step = lattice_of(values) or (None, None)
    ends = float(values[0]), float(values[-1]), zeros, int(counts[0])
    return Seen(rows, missing, len(values), *ends, phase, step)
