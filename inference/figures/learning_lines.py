"""The learning of a candidate over its seeds, as a line with a band."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from obsvae.inference.ranking import Curve

# As far below the best, in multiples of the distance of the middle candidate, one is hopeless.
_HOPELESS = 5.0
# The share of the scores, those of the first epochs, that may lie below the axis.
_EARLY = 0.25


@dataclass(frozen=True)
class Line:
    """A candidate's learning over its seeds; where it diverged with each of them, there is nothing to draw.

    Attributes:
        name: of the candidate.
        middle: median over seeds of the score ``(epochs,)``; a run that has ended keeps its last score.
        low: the least of them.
        high: the greatest.
        seconds: in training until then, median over seeds.
        near: the epoch from which a run is within 1 % of its best, median over seeds; 0 where none was.
    """

    name: str
    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray
    seconds: np.ndarray
    near: int

    @property
    def best(self) -> float:
        """The greatest median; −∞ where there is none."""
        return float(self.middle.max()) if len(self.middle) else -math.inf


def line_of(name: str, runs: Sequence[Curve]) -> Line:
    """Return a candidate's line over its runs; a run without a finite score counts for nothing."""
    known = [run for run in runs if np.isfinite(run.score).any()]
    if not known:
        nothing = np.zeros(0)
        return Line(name, nothing, nothing, nothing, nothing, 0)
    epochs = max(len(run.score) for run in known)
    scores = np.full((len(known), epochs), np.nan)
    steps = np.full((len(known), epochs), np.nan)
    for i, run in enumerate(known):
        scores[i] = np.append(run.score, np.full(epochs - len(run.score), run.score[-1]))
        steps[i, : len(run.seconds)] = np.diff(run.seconds, prepend=0.0)
    # One that has become NaN is as bad as can be: the median may still be seen, and the range ends at the axis.
    scores = np.where(np.isfinite(scores), scores, -np.inf)
    near = int(np.median([run.epochs_to() for run in known]))
    seconds = np.cumsum(np.nanmedian(steps, 0))
    return Line(name, np.median(scores, 0), scores.min(0), scores.max(0), seconds, near)


def limits(lines: Sequence[Line]) -> tuple[float, float]:
    """Return the ends of the axis: those near the best can be told apart, and the first epochs do not flatten them."""
    known = [line for line in lines if math.isfinite(line.best)]
    if not known:
        return 0.0, 1.0
    top = max(line.best for line in known)
    best = next(line for line in known if line.best == top)
    learned = top - np.quantile(best.middle[np.isfinite(best.middle)], _EARLY)
    room = max(_HOPELESS * (top - float(np.median([line.best for line in known]))), float(learned), 1e-6)
    near = [line for line in known if line.best >= top - room]
    scores = np.concatenate([line.middle[np.isfinite(line.middle)] for line in near])
    low = min(float(np.quantile(scores, _EARLY)), *(min(line.best, line.middle[-1]) for line in near))
    low = max(low, top - 2 * room)
    margin = 0.05 * max(top - low, 1e-6)
    # A single seed may be above every median.
    return low - margin, max(top, *(float(line.high.max()) for line in near)) + margin
