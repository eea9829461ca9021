"""Tables for tests, as a reader would return them."""

import numpy as np

from obsvae.data.tables.guessing.guesses import guess_table
from obsvae.data.tables.raw import RawColumn, RawTable
from obsvae.data.tables.schemas.schema import schema_from

SOURCE = "'people.csv'"


def texts(*values):
    """Return a column as a text file has it: numbers as they are written, None as an empty field."""
    return RawColumn(np.array(["" if value is None else str(value) for value in values], dtype=object))


def numbers(values, **kwargs):
    return RawColumn(np.asarray(values, dtype=np.float64), **kwargs)


def table(source=SOURCE, row_names=None, **columns):
    made = {name: column if isinstance(column, RawColumn) else texts(*column) for name, column in columns.items()}
    return RawTable(source, made, row_names)


def guess(column, said=None, name="x", missing=None):
    """Return the guess of a column, with what a schema says of it."""
    given = {"columns": {} if said is None else {name: said}}
    schema = schema_from(given if missing is None else {**given, "missing": missing})
    (found,) = guess_table(table(**{name: column}), schema)
    return found
