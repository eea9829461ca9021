"""What the network of an encoder sees, from what is known of the data."""

from collections.abc import Callable, Sequence
from enum import Enum

from obsvae.data import Kind
from obsvae.guides import ColumnInputs, CosineSine, Inputs, Logarithm, OneHot, Standardised
from obsvae.model.observations.data_like import ColumnLike, DataLike

_Make = Callable[[Sequence[ColumnLike]], Inputs]


def inputs_of(data: DataLike) -> Inputs:
    """Return what an encoder's network sees of the data: of a table each column in its way."""
    if data.columns is None:
        return Standardised(data.event_shape, data.unit_shape, data.has_missing)
    alike: dict[_Make, list[int]] = {}
    for d, column in enumerate(data.columns):
        alike.setdefault(_SEEN_AS[column.kind], []).append(d)
    parts = [(seen([data.columns[d] for d in members]), members) for seen, members in alike.items()]
    return ColumnInputs(parts, data.has_missing)


def _standardised(columns: Sequence[ColumnLike]) -> Inputs:
    return Standardised((len(columns),))


def _logarithm(columns: Sequence[ColumnLike]) -> Inputs:
    return Logarithm(len(columns))


def _logarithm_of_counts(columns: Sequence[ColumnLike]) -> Inputs:
    return Logarithm(len(columns), shift=1.0)


def _one_hot(columns: Sequence[ColumnLike]) -> Inputs:
    return OneHot([column.grid.levels for column in columns if column.grid is not None and column.grid.levels])


def _cosine_sine(columns: Sequence[ColumnLike]) -> Inputs:
    return CosineSine([column.bounds for column in columns if column.bounds is not None])


_SEEN_AS: dict[Enum, _Make] = {
    Kind.REAL: _standardised,
    Kind.PROPORTION: _standardised,
    Kind.POSITIVE: _logarithm,
    Kind.COUNT: _logarithm_of_counts,
    Kind.BINARY: _standardised,
    Kind.ORDINAL: _standardised,
    Kind.CATEGORY: _one_hot,
    Kind.ANGLE: _cosine_sine,
}
