"""Which value stands for the distribution of a missing entry, by the kind of its column."""

from collections.abc import Mapping, Sequence
from enum import Enum

from obsvae.data import Kind
from obsvae.inference.entries.imputation import Direction, Mean, Median, Mode, Point
from obsvae.model.observations.data_like import ColumnLike

_MEAN, _MEDIAN, _MODE = Mean(), Median(), Mode()
# The mean of a skewed density lies where its tail ends, of which data tell next to nothing: hence medians.
_POINTS: Mapping[Enum, Point] = {
    Kind.REAL: _MEAN,
    Kind.POSITIVE: _MEDIAN,
    Kind.PROPORTION: _MEAN,
    Kind.COUNT: _MEDIAN,
    Kind.BINARY: _MODE,
    Kind.CATEGORY: _MODE,
    Kind.ORDINAL: _MEDIAN,
}


def points_of(columns: Sequence[ColumnLike]) -> list[Point]:
    """Return the point value of each column, as ``impute`` takes them.

    Means of real numbers and proportions, medians of positive numbers, counts and levels with an order, the most
    probable of other levels, and the mean direction of angles.

    Args:
        columns: of a table.
    """
    return [
        Direction(*column.bounds) if column.kind is Kind.ANGLE and column.bounds else _POINTS[column.kind]
        for column in columns
    ]
