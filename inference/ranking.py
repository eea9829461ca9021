"""Results of several candidates on the same data, and their differences."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from obsvae.errors import UsageError


@dataclass(frozen=True)
class Curve:
    """Validation scores of one training run, an entry for each epoch.

    Attributes:
        seconds: time in training so far.
        score: nats per datum on the scale that all candidates share.
    """

    seconds: np.ndarray
    score: np.ndarray

    def epochs_to(self, share: float = 0.01) -> int:
        """Return the first epoch (from 1) whose score is within a share of the best one's size, such as 1 %.

        For densities that size depends on the unit of the data; for masses it does not. Scores that are NaN are as if
        they were not there.
        """
        best = np.nanmax(self.score)
        return int(np.argmax(self.score >= best - share * abs(best))) + 1


@dataclass(frozen=True)
class Difference:
    """A difference of mean scores.

    Attributes:
        mean: in nats per datum.
        standard_error: of the mean over data, from differences datum by datum.
    """

    mean: float
    standard_error: float


def paired_difference(scores: np.ndarray, others: np.ndarray) -> Difference:
    """Return the mean of scores − others, of the same data in the same order, with its standard error.

    Two models find the same data easy, so that differences vary far less than either score.

    Args:
        scores: log-likelihoods ``(N,)`` in nats.
        others: log-likelihoods ``(N,)`` of another model.

    Raises:
        UsageError: for arrays of other shapes.
    """
    a, b = np.asarray(scores, dtype=np.float64), np.asarray(others, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape or not len(a):
        raise UsageError(f"scores need to be two arrays (N,) of the same data, but got {a.shape} and {b.shape}")
    difference = a - b
    n = len(difference)
    error = float(difference.std(ddof=1) / math.sqrt(n)) if n > 1 else math.nan
    return Difference(float(difference.mean()), error)


def rank(scores: Mapping[str, Sequence[np.ndarray]]) -> dict[str, Difference]:
    """Return candidates from best to worst, each with its difference to the best.

    Args:
        scores: for each candidate the log-likelihoods ``(N,)`` of each of its seeds, on a common scale and the same
            data. Differences are between means over seeds.
    """
    means = {name: np.mean(list(found), 0) for name, found in scores.items()}
    order = sorted(means, key=lambda name: -means[name].mean())
    return {name: paired_difference(means[name], means[order[0]]) for name in order}


def spread(values: Sequence[float]) -> float:
    """Return the standard deviation over seeds; NaN for one seed."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
