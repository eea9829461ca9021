"""Figures of a comparison: how each candidate learns, and how far it comes."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, ScalarFormatter, SymmetricalLogLocator

from obsvae.inference.figures.palette import COLOURS
from obsvae.inference.ranking import Curve, Difference

# Where the colours end they come again with other dashes.
_DASHES = ("-", "--", ":", "-.")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def plot_learning(curves: Mapping[str, Sequence[Curve]], scale: str) -> Figure:
    """Draw validation scores against epochs and against seconds, a line for each seed.

    A ring marks the epoch from which a run is within 1 % of its best.

    Args:
        curves: runs of each candidate, in the order of the legend.
        scale: what the scores are, for the axis.
    """
    figure = Figure(figsize=(12, 6.0), layout="constrained")
    by_epoch, by_second = figure.subplots(1, 2, sharey=True)
    for i, (name, runs) in enumerate(curves.items()):
        style = {"color": COLOURS[i % len(COLOURS)], "linestyle": _DASHES[i // len(COLOURS) % len(_DASHES)]}
        by_epoch.plot([], [], **style, label=name)  # where every run diverged, the legend alone tells of it
        for curve in runs:
            at = curve.epochs_to() - 1
            for axes, x in ((by_epoch, np.arange(1, len(curve.score) + 1)), (by_second, curve.seconds)):
                axes.plot(x, curve.score, **style, linewidth=1.1)
                axes.plot(x[at], curve.score[at], "o", markersize=7, markerfacecolor="none", color=style["color"])
    everything = np.concatenate([curve.score for runs in curves.values() for curve in runs])
    # The first epochs of a poor start would flatten all the rest; but each run's best is to be seen.
    best = min(curve.score.max() for runs in curves.values() for curve in runs)
    low, high = min(np.quantile(everything, 0.1), best), everything.max()
    margin = 0.05 * max(high - low, 1e-6)
    by_epoch.set_ylim(low - margin, high + margin)
    by_epoch.set(xlabel="epoch", ylabel=f"validation, nats per datum\n({scale})")
    by_epoch.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    by_second.set(xlabel="seconds in training", xscale="log")
    by_second.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    by_second.xaxis.set_major_formatter(ScalarFormatter())
    by_second.xaxis.set_minor_locator(NullLocator())
    handles, labels = by_epoch.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside right upper", fontsize=8, title="○ within 1 % of its best", title_fontsize=8
    )
    return figure


def plot_ranking(differences: Mapping[str, Difference], scale: str) -> Figure:
    """Draw each candidate's difference to the best, with two standard errors of the paired difference."""
    figure = Figure(figsize=(10, 1.4 + 0.32 * len(differences)), layout="constrained")
    axes = figure.subplots()
    names = list(differences)
    at = np.arange(len(names))
    means = [differences[name].mean for name in names]
    errors = [2 * np.nan_to_num(differences[name].standard_error) for name in names]
    axes.errorbar(means, at, xerr=errors, fmt="o", color=COLOURS[0], capsize=3)
    axes.set_yticks(at, names)
    axes.invert_yaxis()
    axes.axvline(0, color="0.6", linewidth=1)
    axes.grid(axis="x", color="0.9")
    axes.set_xscale("symlog", linthresh=10)
    axes.xaxis.set_major_locator(SymmetricalLogLocator(linthresh=10, base=10, subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.set_xlabel(f"difference to the best, nats per datum ± 2 s.e.\n({scale})")
    return figure


def plot_against(panels: Mapping[str, Mapping[str, Mapping[float, float]]], x: str, y: str, linear: float) -> Figure:
    """Draw lines in panels side by side, each with its own legend.

    Args:
        panels: by title, lines by name, each from x to y.
        x: label of the horizontal axes.
        y: label of the vertical axes.
        linear: up to this size the vertical axes are linear, and logarithmic beyond.
    """
    names = list(dict.fromkeys(name for lines in panels.values() for name in lines))
    style = {
        name: {"color": colour, "marker": marker}
        for name, colour, marker in zip(names, cycle(COLOURS), cycle(_MARKERS), strict=False)
    }
    figure = Figure(figsize=(6.2 * len(panels), 4.8), layout="constrained")
    for axes, (title, lines) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        for name, points in lines.items():
            axes.plot(list(points), list(points.values()), label=name, linewidth=1.2, markersize=4, **style[name])
        axes.set_yscale("symlog", linthresh=linear)
        # Labels where there are few powers of ten; with a few between them.
        axes.yaxis.set_major_locator(SymmetricalLogLocator(linthresh=linear, base=10, subs=(1, 2, 5)))
        if max(abs(v) for points in lines.values() for v in points.values()) <= linear:
            axes.yaxis.set_major_locator(MaxNLocator())
        axes.yaxis.set_major_formatter(ScalarFormatter())
        axes.set(title=title, xlabel=x, ylabel=y)
        axes.grid(color="0.92")
        axes.legend(fontsize=8)
    return figure
