"""Tables as numbers of size one, for programs that know nothing else, and back."""

from collections.abc import Sequence

import numpy as np

from obsvae.data import Column, Kind
from obsvae.data.tables.schemas.families import LEVELS


class Encoding:
    """Each column standardised over the entries that are seen; a category as a number for each level where asked.

    Args:
        columns: of the table.
        x: the table (N, D), for its means and spreads; NaN where an entry is missing.
        one_hot: whether a category of more than two levels has a number for each.

    Attributes:
        places: of each column, its numbers among the encoded ones.

    """

    def __init__(self, columns: Sequence[Column], x: np.ndarray, *, one_hot: bool) -> None:
        self.columns = tuple(columns)
        self.levels = [
            column.grid.levels if one_hot and column.kind is Kind.CATEGORY and column.grid is not None else None
            for column in columns
        ]
        ends = np.cumsum([levels or 1 for levels in self.levels])
        self.places = [slice(end - (levels or 1), end) for end, levels in zip(ends, self.levels, strict=True)]
        self.mean = np.nanmean(x, 0, dtype=np.float64)
        spread = np.nanstd(x, 0, dtype=np.float64)
        self.spread = np.where(spread > 0, spread, 1.0)
        self.last = [int(np.nanmax(x[:, d])) for d in range(len(columns))]

    def encoded(self, x: np.ndarray) -> np.ndarray:
        """Return a table (N, D) as numbers; those of a missing entry are NaN."""
        standardised = (x - self.mean) / self.spread
        parts = []
        for d, levels in enumerate(self.levels):
            part = standardised[:, d, None]
            if levels is not None:
                part = np.where(np.isnan(part), np.nan, x[:, d, None] == np.arange(levels))
            parts.append(part)
        return np.concatenate(parts, 1)

    def decoded(self, u: np.ndarray) -> np.ndarray:
        """Return numbers as a table (N, D): of a category the level with the largest, of other levels the nearest."""
        x = np.empty((len(u), len(self.columns)))
        for d, (column, levels) in enumerate(zip(self.columns, self.levels, strict=True)):
            part = u[:, self.places[d]]
            if levels is not None:
                x[:, d] = part.argmax(1)
                continue
            x[:, d] = part[:, 0] * self.spread[d] + self.mean[d]
            if column.kind in LEVELS:
                x[:, d] = x[:, d].round().clip(0, self.last[d])
        return x
