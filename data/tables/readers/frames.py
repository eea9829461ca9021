"""Data frames: of pandas, of Polars, tables of Arrow, and whatever else narwhals knows."""

from collections.abc import Iterable, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from narwhals.exceptions import DuplicateError

from obsvae.data.tables.names import require_column_names
from obsvae.data.tables.raw import RawTable
from obsvae.data.tables.readers.series import read_series
from obsvae.errors import UsageError

FRAME = "the data frame"


def read_frame(frame: Any) -> RawTable:
    """Return the table of a data frame that is in memory.

    The index of a pandas frame names the rows, unless it merely numbers them from 0; the parts of a MultiIndex are
    joined by " / ".

    Raises UsageError for what is no such frame.
    """
    return table_of(frame, FRAME)


def table_of(frame: Any, source: str, row_names: tuple[str, ...] | None = None) -> RawTable:
    """Return the table of a data frame.

    Args:
        frame: of any library that narwhals knows.
        source: what to call it in messages.
        row_names: of its rows; None: those of its index, where it has one.

    """
    try:
        narrow = nw.from_native(frame, eager_only=True)
        given: Iterable[Any] = narrow.columns
    except TypeError as error:
        raise _no_frame(frame) from error
    except DuplicateError:  # refused below, in our words
        given = getattr(frame, "column_names", None) or frame.columns
    names = [_name(name, source) for name in given]
    require_column_names(names, source)
    columns = {
        name: read_series(series, name, source) for name, series in zip(names, narrow.iter_columns(), strict=True)
    }
    if len(narrow) == 0:
        raise UsageError(f"{source}: needs at least one row; it has none: check how it was made")
    return RawTable(source, columns, row_names if row_names is not None else _row_names(nw.maybe_get_index(narrow)))


def joined(parts: Sequence[Sequence[Any]]) -> tuple[str, ...]:
    """Return names of rows, of one part for each of the given columns."""
    return tuple(" / ".join(str(part) for part in row) for row in zip(*parts, strict=True))


def _name(name: object, source: str) -> str:
    if not isinstance(name, str | int | np.integer):
        raise UsageError(f"{source}: needs texts as names of columns; got {name!r}: rename it")
    return str(name)


def _row_names(index: Any) -> tuple[str, ...] | None:
    """Return the names that the index of pandas has; None where it numbers the rows from 0, or there is none."""
    if index is None or (getattr(index, "start", None) == 0 and getattr(index, "step", None) == 1):
        return None
    return joined([index.get_level_values(i).tolist() for i in range(index.nlevels)])


def _no_frame(frame: object) -> UsageError:
    if hasattr(frame, "collect"):  # a lazy frame of Polars
        remedy = "pass frame.collect()"
    elif hasattr(frame, "to_df"):  # an AnnData object
        remedy = "pass its frame, x.to_df()"
    elif hasattr(frame, "to_frame"):  # one column
        remedy = "pass series.to_frame()"
    else:
        remedy = "pass one of these"
    return UsageError(
        "a table is the path of a file, or a data frame in memory of pandas, Polars or another library that narwhals "
        f"knows; got {type(frame).__name__}: {remedy}"
    )
