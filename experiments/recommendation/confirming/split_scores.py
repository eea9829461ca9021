"""The scores of the rows of a split, by question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SplitScores:
    """The scores of rows ``(N,)`` by question, NaN where an entry is missing or unscored, and which are flagged."""

    columns: Mapping[str, np.ndarray]
    flags: Mapping[str, np.ndarray]
    is_cut: bool = False  # whether there was no time for the last of them

    @classmethod
    def joined(cls, parts: Sequence["SplitScores"], rows: int) -> "SplitScores":
        """Return the scores of all parts, of as many rows."""

        def whole(of: Sequence[np.ndarray], rest: float) -> np.ndarray:
            values = np.concatenate(of)
            return np.concatenate([values, np.full(rows - len(values), rest, values.dtype)])

        return cls(
            {name: whole([part.columns[name] for part in parts], np.nan) for name in parts[0].columns},
            {name: whole([part.flags[name] for part in parts], False) for name in parts[0].flags},
            is_cut=sum(len(next(iter(part.flags.values()))) for part in parts) < rows,
        )

    def at(self, places: np.ndarray) -> "SplitScores":
        """Return the scores at some places."""
        columns, flags = ({name: of[places] for name, of in values.items()} for values in (self.columns, self.flags))
        return SplitScores(columns, flags, self.is_cut)

    @property
    def mean(self) -> float:
        """Over rows, added up over the questions that have any."""
        return float(sum(np.nanmean(scores) for scores in self.columns.values() if not np.isnan(scores).all()))

    @property
    def flagged(self) -> dict[str, float]:
        """The share of the scores of each question that are flagged."""
        seen = {name: ~np.isnan(scores) for name, scores in self.columns.items()}
        return {name: float(self.flags[name][some].mean()) if some.any() else 0.0 for name, some in seen.items()}
