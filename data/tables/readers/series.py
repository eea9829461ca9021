"""One column of a data frame."""

import datetime
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from obsvae.data.tables.raw import RawColumn
from obsvae.errors import UsageError

_EXACT = 2**53  # float64 holds every integer up to here
_LONG = (nw.Int128, nw.UInt128)  # NumPy has none
_TRUTH = (bool, np.bool_)
_WHOLE = (int, np.integer)
_NUMBERS = (int, float, np.integer, np.floating)
_TIMES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
_TEXTS = (str, Decimal, *_TRUTH, *_NUMBERS, *_TIMES)


def read_series(series: nw.Series[Any], name: str, source: str) -> RawColumn:
    """Return a column of a data frame.

    Numbers stay numbers, but decimals, and integers of which one is beyond 2**53, become texts, which keep their
    digits. Truth values become the levels "False" and "True", dates and times texts as ISO 8601 writes them.

    Args:
        series: of the frame.
        name: of the column.
        source: what to call the frame.

    Raises UsageError for lists, bytes and other things that are no value of a table.
    """
    dtype = series.dtype
    if dtype.is_float():
        numbers = _floats(series)
        # Frames of pandas hold integers of which some are missing as floats.
        seen = numbers[~np.isnan(numbers)]
        return RawColumn(
            numbers, is_whole=0 < len(seen) < len(numbers) and bool((np.isfinite(seen) & (seen == np.rint(seen))).all())
        )
    if dtype.is_integer() and dtype not in _LONG:
        return _integers(series)
    if dtype == nw.Boolean:
        return _truth(_values(series))
    if dtype in (nw.Categorical, nw.Enum):
        return _levels(series, name, source)
    if dtype == nw.String or dtype.is_decimal() or dtype.is_temporal():
        return _texts(_values(series))
    if dtype in (nw.Object, nw.Unknown, *_LONG):
        return _objects(_values(series), name, source)
    raise _no_value(str(dtype), name, source)


def _floats(series: nw.Series[Any]) -> np.ndarray:
    numbers = series.to_numpy()
    if numbers.dtype.kind != "f":  # nulls that are not NaN
        numbers = series.cast(nw.Float64).fill_null(math.nan).to_numpy()
    return np.array(numbers, dtype=np.float64)  # a copy, which the caller cannot change


def _integers(series: nw.Series[Any]) -> RawColumn:
    numbers = series.to_numpy()
    seen = numbers if numbers.dtype.kind in "iu" else series.drop_nulls().to_numpy()
    if len(seen) and (int(seen.max()) > _EXACT or int(seen.min()) < -_EXACT):
        return _texts(_values(series))
    return RawColumn(numbers.astype(np.float64) if seen is numbers else _floats(series), is_whole=True)


def _levels(series: nw.Series[Any], name: str, source: str) -> RawColumn:
    native = series.to_native()
    if hasattr(native, "array") and not hasattr(native, "cat"):
        # Of a dictionary of Arrow within pandas, narwhals does not know the levels.
        arrow = series.to_arrow()
        whole = arrow.combine_chunks() if hasattr(arrow, "combine_chunks") else arrow
        given, is_ordered = whole.dictionary.to_pylist(), bool(whole.type.ordered)
    else:
        given, is_ordered = series.cat.get_categories().to_list(), nw.is_ordered_categorical(series)
    levels = tuple(str(level) for level in given)
    if len(set(levels)) < len(levels):
        raise UsageError(
            f"{source}: needs levels that differ as texts; those of column {name!r} are "
            f"{', '.join(map(repr, levels))}: rename them"
        )
    return RawColumn(_texts(_values(series)).values, levels=levels, is_ordered=is_ordered)


def _objects(values: Sequence[Any], name: str, source: str) -> RawColumn:
    """Return a column of which the frame knows no type."""
    seen = [value for value in values if value is not None]
    for row, value in enumerate(values):
        if value is not None and not isinstance(value, _TEXTS):
            raise _no_value(f"{type(value).__name__} in row {row} (counted from 0)", name, source)
    if seen and all(isinstance(value, _TRUTH) for value in seen):
        return _truth(values)
    if not seen or not all(isinstance(value, _NUMBERS) for value in seen):
        return _texts(values)
    are_whole = all(isinstance(value, _WHOLE) for value in seen)
    if any(isinstance(value, _WHOLE) and abs(int(value)) > _EXACT for value in seen):
        return _texts(values)
    return RawColumn(np.array([math.nan if value is None else float(value) for value in values]), is_whole=are_whole)


def _values(series: nw.Series[Any]) -> list[Any]:
    """Return the values, None where one is missing."""
    absent = series.is_null().to_list()
    return [None if null else value for value, null in zip(series.to_list(), absent, strict=True)]


def _texts(values: Sequence[Any]) -> RawColumn:
    return RawColumn(np.array([None if value is None else _text(value) for value in values], dtype=object))


def _truth(values: Sequence[Any]) -> RawColumn:
    return RawColumn(_texts(values).values, levels=("False", "True"))


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _no_value(kind: str, name: str, source: str) -> UsageError:
    return UsageError(
        f"{source}: needs numbers, texts, truth values, levels or times in each column; column {name!r} has {kind}: "
        "make columns of its parts, or drop it"
    )
