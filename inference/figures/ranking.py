"""Figures of a comparison: how far each candidate comes."""

from collections.abc import Mapping
from itertools import cycle

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, ScalarFormatter, SymmetricalLogLocator

from obsvae.inference.figures.labels import wrapped
from obsvae.inference.figures.palette import COLOURS
from obsvae.inference.ranking import Difference

# Letters in a line of a name, and how much larger than the middle one the largest difference may be on a linear axis.
_LETTERS, _RATIO = 44, 15
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def plot_ranking(differences: Mapping[str, Difference], scale: str, to: str = "the best") -> Figure:
    """Draw each candidate's difference to one of them, with two standard errors of the paired difference.

    The axis is logarithmic beyond the smallest differences where the largest would hide them.

    Args:
        differences: by candidate, in the order of the lines.
        scale: what the scores are, for the axis.
        to: what the differences are to.
    """
    names = ["\n".join(wrapped(name, _LETTERS)) for name in differences]
    lines = sum(1 + name.count("\n") for name in names)
    figure = Figure(figsize=(10, 1.1 + 0.14 * len(names) + 0.18 * lines), layout="constrained")
    axes = figure.subplots()
    at = np.arange(len(names))
    means = np.array([difference.mean for difference in differences.values()])
    errors = 2 * np.nan_to_num([difference.standard_error for difference in differences.values()])
    axes.errorbar(means, at, xerr=errors, fmt="o", color=COLOURS[0], capsize=3)
    axes.set_yticks(at, names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.axvline(0, color="0.6", linewidth=1)
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)
    if linear := _linear_up_to(means, errors):
        axes.set_xscale("symlog", linthresh=linear)
        low, high = float((means - errors).min()), float((means + errors).max())
        # Ticks for each 1, 2, 5 of many decades would touch one another.
        subs = (1, 2, 5) if -low < _RATIO * linear else (1,)
        axes.set_xlim(1.3 * low, max(1.3 * high, 0.3 * linear))
        axes.xaxis.set_major_locator(SymmetricalLogLocator(linthresh=linear, base=10, subs=subs))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")))
    axes.set_xlabel(f"difference to {to}, nats per datum ± 2 s.e.\n({scale})")
    return figure


def _linear_up_to(means: np.ndarray, errors: np.ndarray) -> float | None:
    """Return the power of ten up to which the axis is linear, and logarithmic beyond; None where it may be linear."""
    sizes = np.sort(np.abs(means) + errors)
    sizes = sizes[sizes > 0]
    if len(sizes) < 2 or sizes[-1] < _RATIO * np.median(sizes):
        return None
    return float(10.0 ** np.floor(np.log10(np.median(sizes))))


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
