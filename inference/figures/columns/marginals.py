"""Figures of predictive checks by column: how far off each is, and the distributions of the worst."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from scipy import stats

from obsvae.inference.checks.band import BAND
from obsvae.inference.checks.columns import LEVELS, ColumnFit
from obsvae.inference.checks.predictive import Predictive
from obsvae.inference.columns import ColumnLike
from obsvae.inference.figures.columns.grid import legend_on_top, panels
from obsvae.inference.figures.columns.kinds import view_of
from obsvae.inference.figures.columns.view import View, literal
from obsvae.inference.figures.labels import wrapped
from obsvae.inference.figures.palette import COLOURS, VERMILION
from obsvae.inference.figures.predictive import OBSERVED, SIMULATED, above

# Columns drawn in one figure: more are too small, and the others stand in a table.
SHOWN = 12
_TAIL = (1 - BAND) / 2
_LETTERS = 34  # in a line of a title
_CHANCE = f"{BAND:.0%} of as many data from the model"


def plot_column_fits(fits: Sequence[ColumnFit], most: int = 2 * SHOWN) -> Figure:
    """Draw how far off each column is, and the coverage of its central intervals.

    Args:
        fits: as :func:`obsvae.column_fits` returns them, the worst first.
        most: number of columns to draw.
    """
    shown = [fit for fit in fits[:most] if fit.n]
    figure = Figure(figsize=(11, 1.4 + 0.3 * len(shown)), layout="constrained")
    distances, covered = figure.subplots(1, 2, sharey=True)
    at = np.arange(len(shown))
    misfit = np.array([fit.misfit for fit in shown])
    distances.hlines(at, 0, misfit, color="0.85", linewidth=2)
    for which, colour, name in (
        (misfit <= 1, OBSERVED, "within its bound"),
        (misfit > 1, VERMILION, "beyond its bound"),
    ):
        if which.any():
            distances.plot(misfit[which], at[which], "o", color=colour, label=name)
    distances.axvline(1, color="0.4", linewidth=1)
    distances.set(
        xlabel="distance of observed and drawn, as a multiple of its bound", xlim=(0, None), ylim=(-0.6, None)
    )
    distances.set_yticks(at, [literal(fit.name) for fit in shown])
    distances.invert_yaxis()
    for i, (level, colour) in enumerate(zip(LEVELS, (COLOURS[2], OBSERVED), strict=True)):
        found = np.array([fit.coverage[i] for fit in shown])
        known = ~np.isnan(found)
        ends = np.array([stats.binom.ppf((_TAIL, 1 - _TAIL), fit.n, level) / fit.n for fit in shown]).reshape(-1, 2)
        covered.hlines(at[known], *ends[known].T, color="0.85", linewidth=6)
        covered.axvline(level, color=colour, linewidth=0.8)
        covered.plot(found, at, "o", color=colour, label=f"central {level:.0%} interval")
    covered.set(xlabel=f"share of entries within it (grey: {BAND:.0%} of right models)", xlim=(0, 1.02))
    for axes in (distances, covered):
        axes.grid(axis="y", color="0.94")
        axes.set_axisbelow(True)
        above(axes)
    return figure


def plot_columns(
    check: Predictive, columns: Sequence[ColumnLike], fits: Sequence[ColumnFit], most: int = SHOWN
) -> Figure:
    """Draw the worst columns of a table, observed against drawn: levels as bars, numbers as histograms.

    About the drawn shares stands where the observed ones of a right model are with 95 %, cell by cell.

    Args:
        check: of the table, ``(N, D)``.
        columns: of it.
        fits: as :func:`obsvae.column_fits` returns them, the worst first.
        most: number of columns to draw.
    """
    place = {column.name: d for d, column in enumerate(columns)}
    shown = [fit for fit in fits[:most] if fit.n]
    figure, grid = panels(len(shown))
    for axes, fit in zip(grid, shown, strict=False):
        d = place[fit.name]
        observed, drawn = check.observed[:, d], check.simulated[:, d]
        view = view_of(columns[d], observed, drawn)
        draw_marginal(axes, view, observed, drawn)
        axes.set_title(
            f"{fit.misfit:.2f} × its bound, n = {fit.n}", fontsize=9, color=VERMILION if fit.misfit > 1 else "0.2"
        )
    legend_on_top(figure, grid[0])
    return figure


def plot_marginals(
    observed: Sequence[np.ndarray], drawn: Sequence[np.ndarray], columns: Sequence[ColumnLike], titles: Sequence[str]
) -> Figure:
    """Draw variables that are held against draws each by itself, as :func:`plot_columns` draws the columns of a table.

    Args:
        observed: values of each ``(N,)``, NaN where missing, one at least not.
        drawn: what is drawn of each ``(S,)``, one at least finite.
        columns: what the values of each are.
        titles: of the panels.
    """
    figure, grid = panels(len(columns), size=(2.9, 2.6))
    for axes, values, draws, column, title in zip(grid, observed, drawn, columns, titles, strict=True):
        draw_marginal(axes, view_of(column, values, draws), values, draws)
        axes.set_title("\n".join(wrapped(title, _LETTERS)), fontsize=9, color="0.2")
    legend_on_top(figure, *grid[:1])
    return figure


def draw_marginal(axes: Axes, view: View, observed: np.ndarray, drawn: np.ndarray) -> None:
    """Draw the shares of observed and of drawn values ``(N,)`` in cells, with the noise of as many data."""
    edges, n = view.edges, int((~np.isnan(observed)).sum())
    found, expected = view.shares(observed), view.shares(drawn)
    low, high = (stats.binom.ppf(q, n, expected) / n for q in (_TAIL, 1 - _TAIL))
    if view.is_levels:
        at = (edges[:-1] + edges[1:]) / 2
        axes.bar(at - 0.2, found, 0.4, color=OBSERVED, label="observed")
        axes.bar(at + 0.2, expected, 0.4, color=SIMULATED, label="drawn from the model")
        axes.vlines(at - 0.2, low, high, color="0.25", linewidth=1.2, label=_CHANCE)
    else:
        axes.stairs(found, edges, fill=True, color=OBSERVED, alpha=0.45, label="observed")
        axes.stairs(expected, edges, color=SIMULATED, linewidth=1.8, label="drawn from the model")
        axes.vlines(view.centres, low, high, color="0.25", linewidth=1.2, label=_CHANCE)
    axes.set_ylim(0, 1.05 * max(found.max(), high.max(), expected.max()))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    view.scale(axes, "x")
