"""How levels are drawn."""

import numpy as np
from matplotlib.axes import Axes

from obsvae.inference.columns import ColumnLike
from obsvae.inference.figures.columns.view import View, Which, literal

# Levels that are drawn one by one, letters of a text that are drawn, and letters that an axis has room for.
_LEVELS, _TEXT, _ROOM = 12, 14, 28
# More levels than this are written small.
_MANY = 8


class Levels(View):
    """Levels: those with an order in it, others from the most frequent; of many the last together."""

    is_levels = True

    def __init__(self, column: ColumnLike, observed: np.ndarray, drawn: np.ndarray | None = None) -> None:
        super().__init__(column, observed, drawn)
        levels = column.levels or tuple(f"{code:g}" for code in range(int(self.high) + 1))
        order = np.arange(len(levels))
        if column.kind.name == "CATEGORY" or len(levels) > _LEVELS:
            order = np.argsort(-np.bincount(self.seen.astype(int), minlength=len(levels)), kind="stable")
        kept = order if len(levels) <= _LEVELS else order[: _LEVELS - 1]
        self.places = np.full(len(levels), len(kept))
        self.places[kept] = np.arange(len(kept))
        self.texts = [_cut(levels[code]) for code in kept]
        if rest := len(levels) - len(kept):
            self.texts.append(f"{rest} others")

    def agreement(self, observed: np.ndarray, reproduced: np.ndarray) -> str:
        """Return the share of levels that are right, beside that of the most frequent one."""
        most = np.unique(observed, return_counts=True)[1].max() / len(observed)
        return f"{(observed == reproduced).mean():.0%} right (always one: {most:.0%})"

    @property
    def edges(self) -> np.ndarray:
        """A cell for each level that is drawn."""
        return np.arange(len(self.texts) + 1) - 0.5

    def place(self, x: np.ndarray) -> np.ndarray:
        """Return the place of each code."""
        missing = np.isnan(x)
        return np.where(missing, np.nan, self.places[np.where(missing, 0, x).astype(int)])

    def _tick(self, axes: Axes, which: Which) -> None:
        axes.set(**{f"{which}ticks": np.arange(len(self.texts)), f"{which}ticklabels": self.texts})
        axes.tick_params(which, labelsize=9 if len(self.texts) <= _MANY else 7)
        if which == "x" and sum(len(text) + 2 for text in self.texts) > _ROOM:
            axes.tick_params("x", labelrotation=40)
            for text in axes.get_xticklabels():
                text.set(ha="right", rotation_mode="anchor")


def _cut(text: str) -> str:
    """Return a text of at most 14 letters, with its beginning and its end."""
    return literal(text if len(text) <= _TEXT else f"{text[: _TEXT // 2]}…{text[1 - _TEXT // 2 :]}")
