"""A table as a file or a frame holds it, before anybody says what its columns mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from obsvae.errors import UsageError


@dataclass(frozen=True, eq=False)
class RawColumn:
    """A column as its source holds it.

    Args:
        values: ``(N,)``: float64 where the source has numbers, with NaN where they are missing; else objects, each a
            text or None. A text file has texts alone, as they stand between its separators; so have integers beyond
            2**53, whose digits float64 would lose.
        is_whole: whether numbers are integers in the source; of texts nothing is known.
        levels: those that the source itself declares, such as of a pandas categorical, in its order; else None.
        is_ordered: whether it declares that their order counts.

    """

    values: np.ndarray
    is_whole: bool = False
    levels: tuple[str, ...] | None = None
    is_ordered: bool = False

    @property
    def is_text(self) -> bool:
        """Whether the source holds texts."""
        return self.values.dtype == object


@dataclass(frozen=True)
class HiVaeType:
    """What the file ``data_types.csv`` beside HI-VAE's tables says of a column.

    Args:
        type: real numbers, positive numbers, counts, levels without order, or levels with one.
        nclass: number of levels; None for numbers.

    """

    type: Literal["real", "pos", "count", "cat", "ordinal"]
    nclass: int | None = None


@dataclass(frozen=True, eq=False)
class RawTable:
    """The columns of a table by name, in the order of the source.

    Args:
        source: what to call the table in messages: the repr of its path, or "the data frame".
        columns: by name, all of N values.
        row_names: of the rows, such as the index of a data frame or the names of cells; None where a row has its number
            alone.
        first_line: the line of row 0 in a text file, counted from 1; None for other sources.
        declared: what a HI-VAE folder says of each column, by name; None for other sources.

    """

    source: str
    columns: Mapping[str, RawColumn]
    row_names: tuple[str, ...] | None = None
    first_line: int | None = None
    declared: Mapping[str, HiVaeType] | None = None

    def __len__(self) -> int:
        """Return N."""
        return len(next(iter(self.columns.values())).values)

    def place(self, row: int) -> str:
        """Return what to call a row in messages, counted from 0, with its name where it has one."""
        named = "" if self.row_names is None else f" ({self.row_names[row]!r})"
        return f"row {row}{named} (counted from 0)"


def require_rows(table: RawTable, least: int = 1) -> None:
    """Raise UsageError for a table with fewer rows."""
    if len(table) < least:
        raise UsageError(f"{table.source}: needs at least {least} rows below its header; it has {len(table)}")
