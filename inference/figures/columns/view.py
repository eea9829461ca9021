"""How the values of a column are drawn."""

import textwrap
from abc import ABC, abstractmethod
from typing import Literal

import numpy as np
from matplotlib.axes import Axes

from obsvae.inference.columns import ColumnLike, in_unit

Which = Literal["x", "y"]
# Draws beyond these quantiles, and beyond the data, are not drawn.
ENDS = (0.005, 0.995)


class View(ABC):
    """How the values of a column are drawn.

    Args:
        column: of a table.
        observed: its values, NaN where missing.
        drawn: from the model, to be drawn beside them.
    """

    # Whether the values are levels.
    is_levels = False

    def __init__(self, column: ColumnLike, observed: np.ndarray, drawn: np.ndarray | None = None) -> None:
        self.column = column
        self.seen = observed[np.isfinite(observed)].astype(np.float64)
        # A decoder that overflows is no reason to draw nothing.
        known = np.zeros(0) if drawn is None else drawn[np.isfinite(drawn)]
        ends = np.append(self.seen, np.quantile(known, ENDS)) if len(known) else self.seen
        self.low, self.high = (float(ends.min()), float(ends.max())) if len(ends) else (0.0, 1.0)

    @property
    def label(self) -> str:
        """The column's name with its unit, in two short lines at most."""
        return in_lines(in_unit(self.column))

    @property
    @abstractmethod
    def edges(self) -> np.ndarray:
        """The edges of cells, as places."""

    @property
    def centres(self) -> np.ndarray:
        """The middle of each cell."""
        return (self.edges[:-1] + self.edges[1:]) / 2

    def place(self, x: np.ndarray) -> np.ndarray:
        """Return where values stand on an axis."""
        return x

    def shares(self, x: np.ndarray) -> np.ndarray:
        """Return the share of values in each cell; those in none count in the total."""
        seen = x[~np.isnan(x)]
        return np.histogram(self.place(seen), self.edges)[0] / max(len(seen), 1)

    def scale(self, axes: Axes, which: Which, is_padded: bool = False) -> None:
        """Set scale, limits, ticks and label of an axis, with room for points beside the outer cells or without."""
        self._tick(axes, which)
        limits = self.padded if is_padded else (self.edges[0], self.edges[-1])
        axes.set(**{f"{which}label": self.label, f"{which}lim": limits})

    @property
    def padded(self) -> tuple[float, float]:
        """The ends of an axis, with room beside the outer cells."""
        return float(self.edges[0]), float(self.edges[-1])

    @abstractmethod
    def agreement(self, observed: np.ndarray, reproduced: np.ndarray) -> str:
        """Return in words how well values ``(N,)``, none of them missing, are reproduced."""

    @abstractmethod
    def _tick(self, axes: Axes, which: Which) -> None:
        """Set the scale and the ticks."""


def in_lines(text: str, width: int = 26) -> str:
    """Return a text in two lines at most of this width, cut where it is longer still."""
    # A name breaks behind an underscore rather than within a word.
    lines = textwrap.wrap(text, width) or [""]
    if len(lines) > 1 and (place := text.rfind("_", 1, width)) > 0 and " " not in text[:width]:
        lines = [text[: place + 1], *textwrap.wrap(text[place + 1 :], width)]
    return literal("\n".join([lines[0], *([f"{lines[1][: width - 1]}…"] if len(lines) > 2 else lines[1:])]))


def literal(text: str) -> str:
    """Return a text that is drawn as it is: a dollar would begin a formula."""
    return text.replace("$", r"\$")
