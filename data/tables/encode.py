"""Tables as numbers: levels become codes, missing values NaN."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from obsvae.data.columns import Column
from obsvae.data.tables.guessing.levels import codes_of
from obsvae.data.tables.parsed import Parsed, parse
from obsvae.data.tables.raw import RawTable, require_rows
from obsvae.data.tables.schemas.complete import OFF, columns_of
from obsvae.data.tables.schemas.schema import Schema
from obsvae.errors import UsageError
from obsvae.names import listed, nearest


@dataclass(frozen=True, eq=False)
class EncodedRows:
    """Rows as a model takes them.

    Args:
        x: (N, D) in float32, NaN where a value is missing.
        columns: of x.
        row_names: of the rows, or None where they have numbers alone.
        ignored: the columns of the table that the schema does not speak of.

    """

    x: np.ndarray
    columns: tuple[Column, ...]
    row_names: tuple[str, ...] | None
    ignored: tuple[str, ...]


def encode_rows(table: RawTable, schema: Schema) -> EncodedRows:
    """Return the rows of a table, of at least one row, in the columns and the levels of a complete schema.

    Args:
        table: whose columns may stand in another order; those that the schema does not speak of are left out.
        schema: complete, as `stored_table` returns it.

    Raises UsageError for a column that is gone, a level that the schema does not know, a text among numbers, and a
    value outside the bounds or off the grid.
    """
    require_rows(table)
    columns = columns_of(schema)
    x = []
    for column in columns:
        if column.name not in table.columns:
            others = [name for name in table.columns if name not in schema.columns]
            raise UsageError(
                f"{table.source} lacks column {column.name!r}, which the model observes; {nearest(column.name, others)}"
                f"its columns are {listed(table.columns)}: add it, with empty fields where nothing is known"
            )
        x.append(encoded(column, parse(table.columns[column.name], schema.missing), table))
    ignored = tuple(name for name in table.columns if name not in schema.columns)
    return EncodedRows(as_float32(x, columns, table), columns, table.row_names, ignored)


def encoded(column: Column, values: Parsed, table: RawTable) -> np.ndarray:
    """Return the values of a column as numbers, (N,) in float64, NaN where they are missing.

    Args:
        column: as a model sees it.
        values: its values.
        table: that they come from, for messages.

    """
    return _levels(column, values, table) if column.levels is not None else _numbers(column, values, table)


def as_float32(x: Iterable[np.ndarray], columns: tuple[Column, ...], table: RawTable) -> np.ndarray:
    """Return encoded columns side by side, (N, D) in float32; raise UsageError for a number that it cannot hold."""
    together = np.stack(list(x), axis=1)
    with np.errstate(over="ignore"):  # an overflow becomes inf, and is told
        rounded = together.astype(np.float32)
    wrong = np.isinf(rounded)
    if wrong.any():
        row, place = (int(i) for i in np.unravel_index(int(wrong.argmax()), wrong.shape))
        raise UsageError(
            f"{table.source}, column {columns[place].name!r}: needs numbers that float32 can hold, at most 3.4e38; "
            f"{table.place(row)} has {together[row, place]:g}: change the unit"
        )
    return rounded


def value_text(table: RawTable, name: str, row: int) -> str:
    """Return a value of a table for a message, a long text cut."""
    value = table.columns[name].values[row]
    text = repr(value if isinstance(value, str) else float(value))
    return text if len(text) <= 60 else f"{text[:57]}...'"


def _levels(column: Column, values: Parsed, table: RawTable) -> np.ndarray:
    assert column.levels is not None
    codes, unknown = codes_of(values, column.levels)
    if unknown.any():
        row = int(unknown.argmax())
        raise UsageError(
            f"{table.source}, column {column.name!r}: needs one of its levels, {listed(column.levels)}; "
            f"{table.place(row)} has {value_text(table, column.name, row)}{_others(unknown)}: correct it, leave the "
            "field empty, or train with a schema whose levels include it"
        )
    return np.where(codes < 0, np.nan, codes)


def _numbers(column: Column, values: Parsed, table: RawTable) -> np.ndarray:
    where = f"{table.source}, column {column.name!r}"
    if values.wrong.any():
        row = int(values.wrong.argmax())
        text = value_text(table, column.name, row)
        raise UsageError(
            f"{where}: needs numbers; {table.place(row)} has {text}{_others(values.wrong)}: correct it, or, where it "
            "stands for a missing value, add it to the schema's missing"
        )
    x = values.numbers
    if column.bounds is not None:
        # As they are stored: 0.7 in float32 is within (0, 0.7).
        low, high = np.float32(column.bounds[0]), np.float32(column.bounds[1])
        stored = x.astype(np.float32)
        outside = (stored < low) | (stored > high)
        if outside.any():
            row = int(outside.argmax())
            raise UsageError(
                f"{where}: needs values within its bounds, {column.bounds[0]:g} to {column.bounds[1]:g}; "
                f"{table.place(row)} has {x[row]:g}{_others(outside)}: correct it, or widen the bounds"
            )
    return x if column.grid is None else _on_grid(column, x, where, table)


def _on_grid(column: Column, x: np.ndarray, where: str, table: RawTable) -> np.ndarray:
    """Return numbers without their rounding errors; raise UsageError where they are off the grid by more."""
    assert column.grid is not None
    low, step = column.grid.low, column.grid.step
    steps = (x - low) / step
    whole = np.rint(steps)
    off = np.abs(steps - whole) > OFF
    if off.any():
        row = int(off.argmax())
        multiples = f"{low:g} and steps of {step:g} from it" if low else f"multiples of {step:g}"
        raise UsageError(
            f"{where}: needs values on its grid, {multiples}; {table.place(row)} has {x[row]:g}{_others(off)}: round "
            "it, or declare grid = false"
        )
    return low + step * whole


def _others(wrong: np.ndarray) -> str:
    more = int(np.count_nonzero(wrong)) - 1
    return f" ({more} more like it)" if more else ""
