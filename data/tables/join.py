"""Tables below one another."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from obsvae.data.tables.parsed import number_text
from obsvae.data.tables.raw import RawColumn, RawTable
from obsvae.errors import UsageError
from obsvae.names import listed


def joined(tables: Mapping[str, RawTable]) -> RawTable:
    """Return tables below one another, in the columns of the first.

    Args:
        tables: by name; a row that has none is called by this name and its number in the table.

    Raises UsageError where a table lacks a column of the first, or has another.
    """
    first, *others = tables.values()
    for other in others:
        for a, b in ((first, other), (other, first)):
            lacking = [name for name in a.columns if name not in b.columns]
            if lacking:
                raise UsageError(
                    f"{b.source} needs the columns of {a.source}; it lacks {listed(lacking)}: add them, with empty "
                    "fields where nothing is known"
                )
    names = [
        name
        for called, table in tables.items()
        for name in table.row_names or [f"{called} {row}" for row in range(len(table))]
    ]
    columns = {name: _joined([table.columns[name] for table in tables.values()]) for name in first.columns}
    source = ", ".join(table.source for table in tables.values())
    return replace(first, source=source, columns=columns, row_names=tuple(names), first_line=None)


def _joined(parts: list[RawColumn]) -> RawColumn:
    first = parts[0]
    has_texts = any(part.is_text for part in parts)
    values = np.concatenate([_texts(part) if has_texts else part.values for part in parts])
    levels = None
    if all(part.levels is not None for part in parts):
        levels = tuple(dict.fromkeys(level for part in parts for level in part.levels or ()))
    same = all(part.levels == first.levels and part.is_ordered for part in parts)
    return RawColumn(values, all(part.is_whole for part in parts), levels, same)


def _texts(column: RawColumn) -> np.ndarray:
    if column.is_text:
        return column.values
    texts = [None if np.isnan(value) else number_text(value) for value in column.values.tolist()]
    return np.array(texts, dtype=object)
