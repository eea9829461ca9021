"""Tables in text files: CSV, TSV, and the folders of HI-VAE."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from obsvae.data.tables.formulas import unescaped
from obsvae.data.tables.names import require_column_names
from obsvae.data.tables.numerals import as_number
from obsvae.data.tables.raw import RawColumn, RawTable
from obsvae.data.tables.readers.hivae import declared, types_beside
from obsvae.data.tables.readers.text import read_text
from obsvae.errors import UsageError

_HEADER = re.compile(r'(?:"[^"]*"|[^"\r\n]+)*')
_QUOTED = re.compile(r'"[^"]*"')
_NO_NAMES = {"na", "nan", "?"}  # beside numbers, they are missing values
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+(?:,[0-9]+)+(?:[eE][+-]?[0-9]+)?")


def read_csv(path: Path) -> RawTable:
    """Return the table of a CSV file: separated by commas or, where its header has none, by ``;``, ``|`` or tabs.

    A file ``data.csv`` beside a ``data_types.csv``, as HI-VAE's tables come, has no header.
    """
    source = repr(str(path))
    text = read_text(path, source)
    header = _header(text, source)
    separator = "," if "," in header else max(";|\t", key=header.count)
    types = types_beside(path)
    if types is None:
        # A table of one column has no separators.
        return _with_header(text, separator if separator in header else ",", source)
    rows, lines = _rows(text, separator, source)
    said = declared(types, len(rows[0]), source)
    return RawTable(source, _columns(list(said), rows, lines, source), first_line=lines[0], declared=said)


def read_tsv(path: Path) -> RawTable:
    """Return the table of a TSV file, separated by tabs."""
    source = repr(str(path))
    text = read_text(path, source)
    header = _header(text, source)
    if "\t" not in header and ("," in header or ";" in header):
        raise UsageError(
            f"{source}: needs tabs between columns; its header has none, but commas or semicolons: name it .csv"
        )
    return _with_header(text, "\t", source)


def _with_header(text: str, separator: str, source: str) -> RawTable:
    rows, lines = _rows(text, separator, source)
    names = [name.strip() for name in rows.pop(0)]
    begun = lines.pop(0)
    are_numbers = [as_number(name) is not None for name in names]
    if any(are_numbers) and all(
        is_number or name.lower() in _NO_NAMES for name, is_number in zip(names, are_numbers, strict=True)
    ):
        raise UsageError(
            f"{source}: needs a header, the names of the columns; its first line has numbers alone, {_listed(names)}: "
            "write a line of names above it; names that are numbers need a letter"
        )
    require_column_names(names, source)
    if not rows:
        raise UsageError(f"{source}: needs rows below its header; the header at line {begun} is all that it has")
    columns = _columns(names, rows, lines, source)
    if separator != ",":
        _refuse_decimal_commas(columns, source)
    return RawTable(source, columns, first_line=lines[0])


def _header(text: str, source: str) -> str:
    """Return the header, without what stands in quotes."""
    if not text.strip():
        raise UsageError(f"{source}: needs a header and rows; it is empty: check how it was made")
    found = _HEADER.match(text.lstrip("\r\n"))
    return "" if found is None else _QUOTED.sub("", found.group())


def _rows(text: str, separator: str, source: str) -> tuple[list[list[str]], list[int]]:
    """Return the cells of all rows, the header included, and the line that each begins at, counted from 1.

    Blank lines are left out, but a line of a single column that is blank between others is a cell of it.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    begun, has_apostrophes = 1, "'" in text
    try:
        for row in reader:
            rows.append([unescaped(field) for field in row] if has_apostrophes else row)
            lines.append(begun)
            begun = reader.line_num + 1
    except csv.Error as error:
        raise UsageError(
            f"{source}: needs rows whose quotes are closed and doubled within; the row that begins at line {begun} is "
            f"damaged ({error}): correct its quotes"
        ) from error
    filled = [i for i, row in enumerate(rows) if len(row) > 1 or (row and row[0].strip())]
    first, last = filled[0], filled[-1]
    if len(rows[first]) == 1:
        filled = list(range(first, last + 1))
    return [rows[i] or [""] for i in filled], [lines[i] for i in filled]


def _columns(names: Sequence[str], rows: list[list[str]], lines: list[int], source: str) -> dict[str, RawColumn]:
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(names):
            raise UsageError(
                f"{source}: needs {len(names)} fields in each row, as there are columns; the row at line {line} has "
                f"{len(row)}: correct it, or put quotes around fields that hold a separator"
            )
    cells = np.array(rows, dtype=object)  # (N, D)
    return {name: RawColumn(np.ascontiguousarray(cells[:, i])) for i, name in enumerate(names)}


def _refuse_decimal_commas(columns: dict[str, RawColumn], source: str) -> None:
    for name, column in columns.items():
        with_comma = [(row, text) for row, text in enumerate(column.values.tolist()) if "," in text]
        if with_comma and all(_DECIMAL_COMMA.fullmatch(text.strip()) for _, text in with_comma):
            row, text = with_comma[0]
            raise UsageError(
                f"{source}: needs decimal points, and no digit groups; column {name!r} has {text!r} in row {row} "
                "(counted from 0): save it with points, or pass the frame pandas.read_csv(path, sep=..., decimal=',')"
            )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:3])
    return shown if len(names) <= 3 else f"{shown}, …"
