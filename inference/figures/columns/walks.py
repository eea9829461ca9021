"""The figure of walks through the latent space of a table: what each column is expected to be."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from obsvae.inference.columns import ColumnLike, in_unit
from obsvae.inference.figures.columns.kinds import view_of
from obsvae.inference.figures.columns.levels import Levels
from obsvae.inference.figures.columns.view import in_lines
from obsvae.inference.figures.palette import BLUE, COLOURS

# Columns drawn at most: those that change most.
_SHOWN = 8


def plot_column_walks(
    walks: Sequence[np.ndarray],
    x: np.ndarray,
    columns: Sequence[ColumnLike],
    dimensions: Sequence[int],
    values: Sequence[float],
) -> Figure:
    """Draw the columns of a table along latents: the means of numbers, the probabilities of levels one above the other.

    Args:
        walks: of each column, as :func:`obsvae.walk_columns` returns them.
        x: data ``(N, D)``, whose range is that of the axes.
        columns: of the table; of more than 8 those that change most are drawn.
        dimensions: the latents, a row each.
        values: what they take.
    """
    shown = sorted(sorted(range(len(columns)), key=lambda d: -_change(walks[d], x[:, d]))[:_SHOWN])
    size = (max(6.0, 1.75 * len(shown) + 0.6), 1.5 * len(dimensions) + 1.1)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(dimensions), len(shown), squeeze=False, sharex=True)
    for j, d in enumerate(shown):
        view = view_of(columns[d], x[:, d])
        for i, axes in enumerate(grid[:, j]):
            if isinstance(view, Levels):
                _draw_levels(axes, view, walks[d][i], values)
            else:
                axes.plot(values, walks[d][i], color=BLUE, linewidth=1.8)
                view.scale(axes, "y", is_padded=True)
            axes.set_ylabel("")
            axes.tick_params(labelsize=7)
            if i == 0:
                axes.set_title(in_lines(in_unit(columns[d]), 16), fontsize=9)
    for d, axes in zip(dimensions, grid[:, 0], strict=True):
        axes.set_ylabel(f"z[{d}]", rotation=0, ha="right", va="center")
    figure.supxlabel("value of the latent", fontsize=9)
    return figure


def _draw_levels(axes: Axes, view: Levels, shares: np.ndarray, values: Sequence[float]) -> None:
    """Draw probabilities of levels ``(values, levels)`` as areas, each with its name where it is widest."""
    places = view.place(np.arange(shares.shape[1], dtype=float)).astype(int)
    together = np.stack([shares[:, places == place].sum(1) for place in range(len(view.texts))])
    colours = [COLOURS[i % len(COLOURS)] for i in range(len(together))]
    axes.stackplot(values, together, colors=colours, alpha=0.55)
    axes.set(ylim=(0, 1), xlim=(values[0], values[-1]), yticks=[0, 0.5, 1])
    foot = together.cumsum(0) - together
    for text, of, low in zip(view.texts, together, foot, strict=True):
        at = int(np.argmax(of[1:-1])) + 1 if len(of) > 2 else 0
        if of[at] > 0.2:
            side = "left" if at < len(of) / 3 else "right" if at > 2 * len(of) / 3 else "center"
            axes.text(values[at], low[at] + of[at] / 2, text, ha=side, va="center", fontsize=7)


def _change(walk: np.ndarray, x: np.ndarray) -> float:
    """Return by how much a column changes: probabilities as they are, means in standard deviations of the data."""
    if walk.ndim == 3:
        return float(np.ptp(walk, 1).max())
    spread = float(np.nanstd(x)) if not np.isnan(x).all() else 0.0
    return float(np.ptp(walk, 1).max()) / (4 * spread) if spread > 0 else 0.0
