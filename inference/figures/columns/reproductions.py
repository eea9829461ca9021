"""The figure of a table's reproductions: each column, observed against reproduced."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from obsvae.inference.columns import ColumnLike
from obsvae.inference.figures.columns.grid import panels
from obsvae.inference.figures.columns.kinds import view_of
from obsvae.inference.figures.columns.view import View
from obsvae.inference.figures.palette import BLUE

# Columns and points drawn at most, and cells whose numbers are written.
_SHOWN, _POINTS, _WRITTEN = 24, 1000, 36
_TOLD = 10  # entries from which on a share or R² is told


def plot_column_reproductions(x: np.ndarray, reproduced: np.ndarray, columns: Sequence[ColumnLike]) -> Figure:
    """Draw each column of a table, observed against reproduced: numbers as points with R², levels as counts.

    Args:
        x: the data ``(N, D)``, NaN where missing.
        reproduced: as :func:`obsvae.reproduce_columns` returns them, likewise.
        columns: of the table; of more than 24 the first are drawn, and none without an entry that is seen.
    """
    shown = [d for d in range(len(columns)) if not np.isnan(x[:, d]).all()][:_SHOWN]
    figure, grid = panels(len(shown), size=(2.9, 2.8))
    if not shown:
        figure.text(0.5, 0.5, "every entry is missing", ha="center")
    for axes, d in zip(grid, shown, strict=True):
        seen = ~np.isnan(x[:, d])
        observed, found = x[seen, d].astype(np.float64), reproduced[seen, d].astype(np.float64)
        view = view_of(columns[d], observed, found)
        (_draw_levels if view.is_levels else _draw_numbers)(axes, view, observed, found)
        view.scale(axes, "x", is_padded=True)
        view.scale(axes, "y", is_padded=True)
        axes.set_ylabel("reproduced")
    return figure


def _draw_numbers(axes: Axes, view: View, observed: np.ndarray, reproduced: np.ndarray) -> None:
    ends = view.padded
    axes.plot(ends, ends, color="0.7", linewidth=1, zorder=0)
    axes.scatter(observed[:_POINTS], reproduced[:_POINTS], s=9, color=BLUE, alpha=0.6, linewidths=0)
    axes.set_title(_agreement(view, observed, reproduced), fontsize=9)


def _draw_levels(axes: Axes, view: View, observed: np.ndarray, reproduced: np.ndarray) -> None:
    """Draw the counts of each observed and reproduced level, coloured by their share of the observed level."""
    counts = np.histogram2d(view.place(observed), view.place(reproduced), [view.edges.tolist()] * 2)[0]
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.pcolormesh(view.edges, view.edges, shares.T, cmap="Blues", vmin=0, vmax=1)
    if counts.size <= _WRITTEN:
        for (i, j), count in np.ndenumerate(counts):
            colour = "white" if shares[i, j] > 0.6 else "0.1"
            axes.text(i, j, f"{count:.0f}", ha="center", va="center", fontsize=8, color=colour)
    axes.set_title(_agreement(view, observed, reproduced), fontsize=9)


def _agreement(view: View, observed: np.ndarray, reproduced: np.ndarray) -> str:
    """Return how well values are reproduced; of a few their number alone, as R² of three points says nothing."""
    return view.agreement(observed, reproduced) if len(observed) >= _TOLD else f"{len(observed)} seen"
