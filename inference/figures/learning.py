"""The figure of how candidates learn."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, ScalarFormatter

from obsvae.inference.figures.labels import apart, wrapped
from obsvae.inference.figures.learning_lines import Line, limits, line_of
from obsvae.inference.figures.palette import COLOURS
from obsvae.inference.ranking import Curve

# More candidates than this have panels of their own.
_TOGETHER = 8
_FAINT, _OTHERS = "0.62", "0.86"
_WIDTH, _SIZE, _LINE = 40, 8, 8 * 1.3 / 72  # letters in a line of a label, its points, and its height in inches
_HEIGHT, _AROUND = 5.4, 0.9  # of the figure of a few candidates, and of what stands around its axes
_ACROSS, _PANEL = 4, (3.0, 2.0)
_DASHES = ("-", (0, (5, 2)))
_FINE, _BOLD = 0.8, 1.6
# Within this ratio a logarithmic axis has too few round numbers.
_DECADE = 8
# Up to this number of candidates their bands may be strong.
_FEW = 4


def plot_learning(curves: Mapping[str, Sequence[Curve]], scale: str) -> Figure:
    """Draw validation scores against epochs and against seconds: the median over seeds, in a band of their range.

    A ring marks the epoch from which a run is within 1 % of its best. Candidates that stay far below the others are
    grey; they do not stretch the axis. More than eight have a panel each, against epochs, with the others behind.

    Args:
        curves: runs of each candidate, from best to worst; none where it diverged with each seed.
        scale: what the scores are, for the axis.
    """
    lines = [line_of(name, runs) for name, runs in curves.items()]
    low, high = limits(lines)
    return (_together if len(lines) <= _TOGETHER else _apart)(lines, low, high, scale)


def _together(lines: Sequence[Line], low: float, high: float, scale: str) -> Figure:
    figure = Figure(figsize=(12, _HEIGHT), layout="constrained")
    by_epoch, by_second = figure.subplots(1, 2, sharey=True)
    for i, line in enumerate(lines):
        is_faint = line.best < low
        style = {"color": _FAINT if is_faint else COLOURS[i % len(COLOURS)], "linestyle": _DASHES[i // len(COLOURS)]}
        for axes, x in ((by_epoch, np.arange(1, len(line.middle) + 1)), (by_second, line.seconds)):
            _draw(axes, x, line, low, style, is_faint, 0.2 if len(lines) <= _FEW else 0.1)
    by_epoch.set_ylim(low, high)
    by_epoch.set(xlabel="epoch", ylabel=f"validation, nats per datum\n({scale})")
    _whole_epochs(by_epoch)
    by_second.set(xlabel="seconds in training")
    _seconds(by_second, lines, low)
    for axes in (by_epoch, by_second):
        axes.grid(axis="y", color="0.93")
        axes.set_axisbelow(True)
    _label(by_second, lines, low, high)
    by_epoch.set_title(_explained(lines), loc="left", fontsize=_SIZE + 1, color="0.35")
    return figure


def _draw(
    axes: Axes, x: np.ndarray, line: Line, low: float, style: Mapping[str, Any], is_faint: bool, alpha: float
) -> None:
    """Draw one candidate in one panel, its band as strong as ``alpha``."""
    shown, colour = np.isfinite(line.middle), style["color"]
    # A band to −∞ cannot be drawn; one to far below the axis looks the same.
    ends = [np.maximum(of, low - 10 * abs(low) - 1) for of in (line.low, line.high)]
    if len(x) == 1:
        axes.vlines(x, *ends, color=colour, alpha=0.5)
        axes.plot(x, line.middle, ".", color=colour)
    elif (line.high > line.low).any():
        axes.fill_between(x, *ends, color=colour, alpha=alpha / 2 if is_faint else alpha, linewidth=0)
    axes.plot(
        x[shown], line.middle[shown], linewidth=_FINE if is_faint else _BOLD, zorder=1.5 + (not is_faint), **style
    )
    if line.near and not is_faint:
        at = line.near - 1
        axes.plot(x[at], line.middle[at], "o", markersize=7, markerfacecolor="none", color=colour, zorder=3)


def _label(axes: Axes, lines: Sequence[Line], low: float, high: float) -> None:
    """Write the names beside the axis, at the height at which each line ends, with a thin line between the two."""
    height = _HEIGHT - _AROUND
    texts = [wrapped(_named(line, low), _WIDTH) for line in lines]
    ends = [line.middle[-1] if len(line.middle) else -math.inf for line in lines]
    wanted = [(min(max(end, low), high) - low) / (high - low) * height for end in ends]
    # Of those that end at one place the first stands above.
    wanted = [place - 1e-6 * i for i, place in enumerate(wanted)]
    at = apart(wanted, [_LINE * len(text) + 0.05 for text in texts], height) / height
    right = axes.get_xlim()[1]
    for i, (line, text, place) in enumerate(zip(lines, texts, at, strict=True)):
        is_faint = line.best < low
        colour = _FAINT if is_faint else COLOURS[i % len(COLOURS)]
        label = "\n".join(text)
        axes.text(1.055, place, label, transform=axes.transAxes, va="center", fontsize=_SIZE, color=_dark(is_faint))
        if len(line.middle):
            ends_at = [wanted[i] / height, place]
            axes.plot([1.0, 1.045], ends_at, transform=axes.transAxes, color=colour, linewidth=1.0, clip_on=False)
        if ends[i] > low:
            axes.plot([line.seconds[-1], right], [ends[i]] * 2, ":", color=colour, linewidth=0.8, zorder=1)
    axes.set_xlim(right=right)


def _dark(is_faint: bool) -> str:
    return "0.5" if is_faint else "0.1"


def _apart(lines: Sequence[Line], low: float, high: float, scale: str) -> Figure:
    """Draw a panel for each candidate, against epochs, with the others behind."""
    rows = math.ceil(len(lines) / _ACROSS)
    figure = Figure(figsize=(_PANEL[0] * _ACROSS, _PANEL[1] * rows + 0.6), layout="constrained")
    grid = [axes for row in figure.subplots(rows, _ACROSS, sharex=True, sharey=True, squeeze=False) for axes in row]
    longest = max((len(line.middle) for line in lines), default=1)
    for i, axes in enumerate(grid[: len(lines)]):
        for other in lines:
            axes.plot(np.arange(1, len(other.middle) + 1), other.middle, color=_OTHERS, linewidth=0.7, zorder=1)
        line = lines[i]
        is_faint = line.best < low
        style = {"color": _FAINT if is_faint else COLOURS[0]}
        _draw(axes, np.arange(1, len(line.middle) + 1), line, low, style, is_faint, 0.25)
        title = "\n".join([*wrapped(_shortened(line.name), _WIDTH), _reached(line, low)])
        axes.set_title(title, fontsize=_SIZE, color=_dark(is_faint))
        axes.grid(axis="y", color="0.95")
        axes.set_axisbelow(True)
        axes.set_xlim(0 if longest > 1 else 0.5, longest + 0.5)
        axes.tick_params(labelsize=_SIZE)
        _whole_epochs(axes)
    for axes in grid[len(lines) :]:
        axes.remove()
    for axes in grid[max(0, len(lines) - _ACROSS) : len(lines)]:  # the lowest of each column
        axes.tick_params(labelbottom=True)
    grid[0].set_ylim(low, high)
    figure.supylabel(f"validation, nats per datum ({scale})", fontsize=_SIZE + 1)
    figure.supxlabel(f"epoch; {_explained(lines)}; grey: the other candidates", fontsize=_SIZE + 1)
    return figure


def _reached(line: Line, low: float) -> str:
    """Return when a candidate was near its best, or how far below the axis it stayed."""
    if not len(line.middle):
        return "nothing to draw"
    if line.best < low:
        return f"below: {_in_short(line.best)}"
    return f"○ epoch {line.near}, {line.seconds[line.near - 1]:.3g} s"


def _named(line: Line, low: float) -> str:
    is_below = math.isfinite(line.best) and line.best < low
    return f"{line.name} (below: {_in_short(line.best)})" if is_below else line.name


def _in_short(nats: float) -> str:
    return f"{nats:.{0 if abs(nats) >= 1000 else 4}{'f' if abs(nats) >= 1000 else 'g'}}".replace("-", "−")


def _shortened(name: str) -> str:
    most = 3 * _WIDTH - 8
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _explained(lines: Sequence[Line]) -> str:
    several = any((line.high > line.low).any() for line in lines)
    return f"{'median and range over seeds; ' if several else ''}○ within 1 % of its best"


def _whole_epochs(axes: Axes) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))


def _seconds(axes: Axes, lines: Sequence[Line], low: float) -> None:
    """Take logarithms of seconds, from where the first candidate comes into view: one may take much longer."""
    seen = [float(line.seconds[(line.middle >= low).argmax()]) for line in lines if line.best >= low]
    if not seen or min(seen) <= 0:
        return
    axes.set_xscale("log")
    axes.set_xlim(left=0.7 * min(seen))
    few = axes.get_xlim()[1] < _DECADE * axes.get_xlim()[0]
    axes.xaxis.set_major_locator(MaxNLocator(4) if few else LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
