"""The file ``data_types.csv`` that stands beside HI-VAE's tables."""

import csv
import io
from pathlib import Path
from typing import get_args

from obsvae.data.tables.raw import HiVaeType
from obsvae.data.tables.readers.text import read_text
from obsvae.errors import UsageError

_TYPES = {name: name for name in get_args(HiVaeType.__annotations__["type"])}
_HAVE_LEVELS = ("cat", "ordinal")


def types_beside(path: Path) -> Path | None:
    """Return where the types of a table are declared, if it is a ``data.csv`` beside a ``data_types.csv``."""
    types = path.with_name("data_types.csv")
    return types if path.name == "data.csv" and types.is_file() else None


def declared(types: Path, columns: int, table: str) -> dict[str, HiVaeType]:
    """Return the type of each column of a table without header, its names "column 1", "column 2" and so on.

    Names count from 1, as HI-VAE's lists of missing entries do.

    Args:
        types: the file of types: a header ``type,dim,nclass`` and a line for each column.
        columns: number of columns of the table.
        table: what to call it in messages.

    """
    source = repr(str(types))
    rows = list(csv.reader(io.StringIO(read_text(types, source), newline="")))
    rows = [[cell.strip() for cell in row] for row in rows if row]
    if not rows or rows[0] != ["type", "dim", "nclass"]:
        raise UsageError(
            f"{source}: needs the header type,dim,nclass; got {','.join(rows[0]) if rows else 'nothing'!r}: write it"
        )
    if len(rows) - 1 != columns:
        raise UsageError(
            f"{source}: needs a type for each of the {columns} columns of {table}; it has {len(rows) - 1}: add or "
            "remove lines"
        )
    return {f"column {i}": _type(row, i, source) for i, row in enumerate(rows[1:], 1)}


def _type(row: list[str], number: int, source: str) -> HiVaeType:
    where = f"{source}: the line of column {number}"
    if len(row) != 3 or row[0] not in _TYPES:
        raise UsageError(f"{where} needs type,dim,nclass with a type out of {', '.join(_TYPES)}; got {','.join(row)!r}")
    name, dim, nclass = row
    if name not in _HAVE_LEVELS:
        if dim != "1":
            raise UsageError(f"{where} needs dim 1 for numbers; got {dim!r}: give each number a column of its own")
        return HiVaeType(_TYPES[name])
    if not (nclass.isascii() and nclass.isdecimal() and int(nclass) >= 2):
        raise UsageError(f"{where} needs nclass, a number of levels of at least 2; got {nclass!r}: write it")
    return HiVaeType(_TYPES[name], int(nclass))
