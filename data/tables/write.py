"""Tables as files, written whole."""

import csv
import math
import os
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from obsvae.data.tables.formulas import escaped
from obsvae.data.tables.parsed import number_text
from obsvae.errors import UsageError
from obsvae.names import lookup
from obsvae.whole_files import write_whole


def save_table(path: str | os.PathLike[str], table: Any) -> Path:
    """Write a table as .csv, .tsv or .parquet, by the suffix; nobody ever sees half a file.

    In a text file names and levels that a spreadsheet would run as formulas get an apostrophe before them, which is
    taken off where the file is read.

    Args:
        path: of the file; its folder is made.
        table: a data frame of pandas, whose index is written as a first column where it has names; or columns by name,
            as `decoded` returns them.

    Raises UsageError for another suffix, and where a format needs a package that is not there.
    """
    file = Path(path).expanduser()
    write = lookup("format of tables", file.suffix.lower(), WRITERS, otherwise=f"; got {str(path)!r}")
    return write_whole(file, lambda temporary: write(temporary, table))


def _columns(table: Any) -> dict[str, Sequence[Any]]:
    """Return columns by name, missing values as None."""
    if isinstance(table, Mapping):
        return {str(name): np.asarray(values, dtype=object).tolist() for name, values in table.items()}
    columns = {
        str(name): table[name].astype(object).where(table[name].notna(), None).tolist() for name in table.columns
    }
    if _is_plain(table.index):
        return columns
    called = str(table.index.name or "row")
    while called in columns:
        called += " name"
    return {called: list(table.index), **columns}


def _is_plain(index: Any) -> bool:
    return list(index) == list(range(len(index)))


def _field(value: Any) -> str:
    """Return a value as it stands in a text file."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str):
        return escaped(value)
    return number_text(float(value)) if isinstance(value, float) else str(value)


def _write_delimited(separator: str) -> Callable[[Path, Any], None]:
    def write(path: Path, table: Any) -> None:
        columns = _columns(table)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=separator, lineterminator="\n")
            writer.writerow(map(escaped, columns))
            writer.writerows(zip_longest(*(map(_field, values) for values in columns.values())))

    return write


def _write_parquet(path: Path, table: Any) -> None:
    try:
        import pandas
        import pyarrow  # noqa: F401 - pandas writes Parquet by it

    except ImportError as error:
        raise UsageError(
            f"writing {path.suffix} needs {error.name}: pip install pandas pyarrow, or write .csv"
        ) from error
    frame = pandas.DataFrame(dict(table)) if isinstance(table, Mapping) else table
    frame.to_parquet(path, engine="pyarrow", index=not _is_plain(frame.index))


WRITERS: dict[str, Callable[[Path, Any], None]] = {
    ".csv": _write_delimited(","),
    ".tsv": _write_delimited("\t"),
    ".parquet": _write_parquet,
}
