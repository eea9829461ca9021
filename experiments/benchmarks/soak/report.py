"""What a long process has told of its memory: lines, a figure, and how fast it grows."""

import csv
import io
from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from obsvae.experiments.benchmarks.soak.run import Moment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Share of the time at first in which programs load what they need, and number of means that a line is fitted to.
_WARM, _MEANS = 1 / 3, 10


def growth(moments: Sequence[Moment]) -> tuple[float, float]:
    """Return how fast memory grows in MB per hour, with its standard error; NaN where the time is too short to tell.

    By a straight line through means of successive turns, those of the first third of the time left out: what one turn
    leaves, the next one has, too, so that the turns themselves would tell of a smaller error than there is.
    """
    seconds, megabytes = (np.array([getattr(one, name) for one in moments]) for name in ("seconds", "megabytes"))
    late = seconds > _WARM * seconds.max(initial=0.0)
    if late.sum() < 2 * _MEANS:
        return float("nan"), float("nan")
    hours, memory = (
        np.array([part.mean() for part in np.array_split(values[late], _MEANS)])
        for values in (seconds / 3600, megabytes)
    )
    centred = hours - hours.mean()
    slope = (centred * memory).sum() / np.square(centred).sum()
    left = memory - memory.mean() - slope * centred
    return float(slope), float(np.sqrt(np.square(left).sum() / (_MEANS - 2) / np.square(centred).sum()))


def summary(moments: Sequence[Moment]) -> str:
    """Return in a line how much memory there was at the ends, and how fast it grew."""
    first, last = moments[0], moments[-1]
    slope, error = growth(moments)
    told = f"{len(moments)} turns in {last.seconds / 60:.1f} minutes: {first.megabytes:.0f} MB after the first turn"
    ends = f"{told}, {last.megabytes:.0f} MB after the last"
    if slope != slope:
        return f"{ends}; too short to tell how fast it grows"
    return f"{ends}; it grows by {slope:.1f} ± {error:.1f} MB per hour, the first third of the time left out"


def lines_of(moments: Sequence[Moment]) -> str:
    """Return a line for each turn, as .csv."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["turn", "seconds", "what", "megabytes", "objects"])
    writer.writerows([one.turn, f"{one.seconds:.1f}", one.what, f"{one.megabytes:.1f}", one.objects] for one in moments)
    return text.getvalue()


def figure(moments: Sequence[Moment]) -> "Figure":
    """Draw the memory over time."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(7, 3.5), layout="constrained")
    axes = drawn.subplots()
    axes.plot([one.seconds / 60 for one in moments], [one.megabytes for one in moments], marker=".", linewidth=0.8)
    axes.set_xlabel("minutes")
    axes.set_ylabel("resident memory, MB")
    axes.set_title(fill(summary(moments), 100), fontsize=8)
    return drawn
