"""Which value stands for the distribution of an entry, by what its column holds."""

from collections.abc import Sequence

from obsvae.data import Column, Kind
from obsvae.inference import Direction, Mean, Median, Mode, Point

_POINTS: dict[Kind, Point] = {
    Kind.REAL: Mean(),
    Kind.PROPORTION: Mean(),
    Kind.POSITIVE: Median(),
    Kind.COUNT: Median(),
    Kind.ORDINAL: Median(),
    Kind.BINARY: Mode(),
    Kind.CATEGORY: Mode(),
}


def points_of(columns: Sequence[Column]) -> list[Point]:
    """Return the point value of each column.

    The mean of numbers, the median of skewed ones, of counts and of levels with an order, the mode of other levels, the
    mean direction of angles.
    """
    return [
        Direction(*column.bounds) if column.kind is Kind.ANGLE and column.bounds else _POINTS[column.kind]
        for column in columns
    ]
