"""Figures of pairs of columns: how they depend on one another, observed against drawn."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from obsvae.inference.checks.pairs import PairFit, strongest
from obsvae.inference.checks.predictive import Predictive
from obsvae.inference.columns import ColumnLike
from obsvae.inference.figures.columns.grid import panels
from obsvae.inference.figures.columns.kinds import view_of
from obsvae.inference.figures.columns.view import View, literal
from obsvae.inference.figures.palette import BLUE, VERMILION
from obsvae.inference.figures.predictive import OBSERVED, SIMULATED, above

# Pairs whose names are written, cells whose shares are, and points drawn.
_NAMED, _WRITTEN, _POINTS = 6, 25, 500
# From this V on, names stand to the left of their points.
_MIDDLE = 0.5


def plot_dependence(pairs: Sequence[PairFit], columns: Sequence[ColumnLike]) -> Figure:
    """Draw the dependence of each two columns, observed against drawn: on the diagonal where the model is right.

    Args:
        pairs: as :func:`obsvae.pair_fits` returns them.
        columns: of the table.
    """
    figure = Figure(figsize=(6.4, 5.4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for is_within, colour, name in ((True, BLUE, "observed is within the range"), (False, VERMILION, "beyond it")):
        some = [pair for pair in pairs if pair.is_within is is_within]
        if not some:
            continue
        observed, drawn, low, high = np.array([(p.observed, p.drawn, p.low, p.high) for p in some]).T
        axes.vlines(observed, low, high, color=colour, linewidth=0.8, alpha=0.5)
        axes.plot(observed, drawn, "o", color=colour, markersize=4, label=f"{name}: {len(some)} pairs")
    far = sorted((pair for pair in pairs if not pair.is_within), key=lambda p: -abs(p.observed - p.drawn))[:_NAMED]
    for i, pair in enumerate(far):
        if not any(_collide(pair, other) for other in far[:i]):
            names = " – ".join(literal(columns[d].name) for d in pair.columns)
            at, right = (pair.observed, pair.drawn), pair.observed < _MIDDLE
            shift, side = (6, "left") if right else (-6, "right")
            axes.annotate(names, at, (shift, -3), textcoords="offset points", fontsize=8, ha=side)
    top = 1.05 * max([pair.high for pair in pairs] + [pair.observed for pair in pairs] + [0.1])
    axes.set(
        xlabel="Cramér's V, held-out data",
        ylabel="Cramér's V, draws from the model\n(median and range of sets of as many)",
        xlim=(-0.02, top),
        ylim=(-0.02, top),
    )
    above(axes)
    return figure


def _collide(one: PairFit, other: PairFit) -> bool:
    """Return whether the names of two pairs would stand on one another."""
    return abs(one.drawn - other.drawn) < 0.03 and abs(one.observed - other.observed) < 0.35


def plot_pairs(check: Predictive, columns: Sequence[ColumnLike], pairs: Sequence[PairFit], most: int = 5) -> Figure:
    """Draw pairs of columns, each observed beside drawn: numbers as points, levels as shares.

    Args:
        check: of the table, ``(N, D)``.
        columns: of it.
        pairs: as :func:`obsvae.pair_fits` returns them.
        most: number of columns, those of the strongest dependence in the data, whose pairs are drawn.
    """
    chosen = strongest(pairs, most)
    shown = [pair for pair in pairs if set(pair.columns) <= set(chosen)]
    figure, grid = panels(2 * len(shown), size=(2.9, 2.6))
    missing = np.isnan(check.observed)
    drawn = np.where(missing, np.nan, np.resize(check.simulated, check.observed.shape))
    for pair, left, right in zip(shown, grid[::2], grid[1::2], strict=True):
        # Levels stand on the horizontal axis.
        first, second = sorted(pair.columns, key=lambda d: columns[d].levels is None)
        views = [view_of(columns[d], check.observed[:, d], check.simulated[:, d]) for d in (first, second)]
        both = [(of[:_POINTS, first], of[:_POINTS, second]) for of in (check.observed, drawn)]
        if all(view.is_levels for view in views):
            _draw_shares((left, right), views, [(of[:, first], of[:, second]) for of in (check.observed, drawn)])
        else:
            for axes, (x, y), colour in zip((left, right), both, (OBSERVED, SIMULATED), strict=True):
                (_draw_strips if views[0].is_levels else _draw_points)(axes, views, x, y, colour)
        for axes in (left, right):
            views[0].scale(axes, "x", is_padded=True)
            views[1].scale(axes, "y", is_padded=True)
        right.set_ylabel("")
        right.tick_params(labelleft=False)
        left.set_title(f"observed: V = {pair.observed:.2f}", fontsize=9, color=OBSERVED)
        colour = "0.2" if pair.is_within else VERMILION
        text = f"drawn: V = {pair.drawn:.2f} ({pair.low:.2f} … {pair.high:.2f})"
        right.set_title(text, fontsize=9, color=colour)
    return figure


def _draw_points(axes: Axes, views: Sequence[View], x: np.ndarray, y: np.ndarray, colour: str) -> None:
    axes.scatter(views[0].place(x), views[1].place(y), s=9, color=colour, alpha=0.6, linewidths=0)


def _draw_strips(axes: Axes, views: Sequence[View], x: np.ndarray, y: np.ndarray, colour: str) -> None:
    """Draw the numbers of each level beside one another, with their medians."""
    at = views[0].place(x)
    jitter = np.random.default_rng(0).uniform(-0.25, 0.25, len(x))
    axes.scatter(at + jitter, views[1].place(y), s=9, color=colour, alpha=0.6, linewidths=0)
    for place in views[0].centres:
        if (numbers := y[(at == place) & ~np.isnan(y)]).size:
            axes.hlines(np.median(views[1].place(numbers)), place - 0.35, place + 0.35, color="0.1", linewidth=1.5)


def _draw_shares(pair: tuple[Axes, Axes], views: Sequence[View], both: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
    """Draw the share of each two levels in all data that have both, on one scale."""
    shares = []
    for x, y in both:
        seen = ~np.isnan(x) & ~np.isnan(y)
        edges = [view.edges.tolist() for view in views]
        counts = np.histogram2d(views[0].place(x[seen]), views[1].place(y[seen]), edges)[0]
        shares.append(counts / max(seen.sum(), 1))
    top = max(of.max() for of in shares)
    for axes, of in zip(pair, shares, strict=True):
        axes.pcolormesh(views[0].edges, views[1].edges, of.T, cmap="Blues", vmin=0, vmax=top)
        if of.size <= _WRITTEN:
            for (i, j), share in np.ndenumerate(of):
                colour = "white" if share > 0.6 * top else "0.1"
                axes.text(i, j, f"{share:.0%}", ha="center", va="center", fontsize=8, color=colour)
