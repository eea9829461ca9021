"""The simultaneous band of a distribution function: how far chance alone takes it from the uniform one."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

# Probability that a distribution function stays within the band at all points.
BAND = 0.95
# More points than this draw the same curve.
_POINTS = 500
# Halvings of the interval of error rates, to six digits of the rate.
_HALVINGS = 20
# Probabilities below this, and counts further than this from their mean in standard deviations, are nothing.
_NOTHING, _FAR = 1e-18, 9.0


@dataclass(frozen=True, eq=False)
class Band:
    """Bounds of the distribution function of n values in (0, 1) that are uniform.

    Attributes:
        at: points from 0 to 1, ``(K + 1,)``.
        lower: least share of the values at or below each, ``(K + 1,)``.
        upper: greatest share, ``(K + 1,)``.
        coverage: exact probability of staying within at all points, at least the level that was asked for.
    """

    at: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    coverage: float

    def shares(self, values: np.ndarray) -> np.ndarray:
        """Return the share of values at or below each point, ``(K + 1,)``."""
        return np.searchsorted(np.sort(values), self.at, side="right") / len(values)

    def is_left_by(self, values: np.ndarray) -> bool:
        """Return whether the distribution function of n values leaves the band anywhere."""
        shares, half = self.shares(values), 0.5 / len(values)  # both are multiples of 1 / n, but for rounding
        return bool(((shares < self.lower - half) | (shares > self.upper + half)).any())


@lru_cache(maxsize=64)
def simultaneous_band(n: int, draws: int | None = None, level: float = BAND) -> Band:
    r"""Return the narrowest band, of one error rate at all points, whose coverage is at least the level.

    .. math:: \Pr\big(l_i \le C_i \le u_i,\ i = 1, \dots, K\big) \ge \text{level}, \qquad
              \Pr(C_i < l_i) \le \gamma / 2, \quad \Pr(C_i > u_i) \le \gamma / 2

    where C_i of the n values are at or below point i. The coverage is exact, without simulation: given their sum, the
    numbers of values between neighbouring points are independent Poisson variables, whose sums are convolutions that
    are cut off at the bounds. As counts are whole numbers, it may lie a little above the level.

    Args:
        n: the number of values, at least 1.
        draws: S, where the values are ranks among the same S draws, spread over (0, 1). The noise of these draws widens
            the band: the numbers between points are negative binomial. Where each value has draws of its own: None.
        level: least coverage.

    Reference: Säilynoja, Bürkner and Vehtari, *Graphical test for discrete uniformity and its applications*,
    Statistics and Computing 2022, section 2 (the band, with γ by simulation or by another recursion).
    """
    cells = None if draws is None else draws + 1
    points = min(n, _POINTS if cells is None else min(_POINTS, cells))
    at = np.arange(points + 1) / points
    if cells is not None:
        at = np.rint(at * cells) / cells  # where a cell between two draws ends
    counts = _Counts(n, at, cells)
    narrow, wide = 1.0, 0.0  # rates whose bands are too narrow, and wide enough
    for _ in range(_HALVINGS):
        rate = 0.5 * (narrow + wide)
        if counts.coverage(*counts.bounds(rate)) < level:
            narrow = rate
        else:
            wide = rate
    lower, upper = counts.bounds(wide)
    return Band(at, lower / n, upper / n, counts.coverage(lower, upper))


class _Counts:
    """The numbers of n values at or below points: their distributions at each, and together.

    Args:
        n: the number of values.
        at: the points, from 0 to 1.
        cells: S + 1 for ranks among the same S draws, of which each point is a whole number; None for independent
            values, whose points are evenly spaced.
    """

    def __init__(self, n: int, at: np.ndarray, cells: int | None) -> None:
        from scipy import stats  # takes half a second to load

        self._n, inner = n, at[1:-1, None]
        variance = 0.25 * n if cells is None else 0.25 * n * (cells + n) / (cells + 1)  # at one half, where it is most
        spread = np.ceil(_FAR * (np.sqrt(variance) + 1.0))
        self._first = np.maximum(np.floor(n * at[1:-1]) - spread, 0)
        near = self._first[:, None] + np.arange(2 * spread + 1)
        if cells is None:
            mass = stats.binom.pmf(near, n, inner)
            steps = [stats.poisson.pmf(np.arange(n + 1), n / (len(at) - 1))] * (len(at) - 1)
            self._log_sum = stats.poisson.logpmf(n, n)
        else:
            mass = stats.betabinom.pmf(near, n, cells * inner, cells * (1.0 - inner))
            sizes, share = np.rint(np.diff(at) * cells), cells / (cells + n)
            known = {size: stats.nbinom.pmf(np.arange(n + 1), size, share) for size in np.unique(sizes)}
            steps = [known[size] for size in sizes]
            self._log_sum = stats.nbinom.logpmf(n, cells, share)
        self._cdf = mass.cumsum(1)
        self._steps = [step[: np.flatnonzero(step > _NOTHING)[-1] + 1] for step in steps]

    def bounds(self, rate: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the least and the greatest number at each point, either of them passed with half the rate."""
        lower, upper = (self._first + (self._cdf < q).sum(1) for q in (0.5 * rate, 1.0 - 0.5 * rate))
        return np.array([0, *lower, self._n], int), np.array([0, *np.minimum(upper, self._n), self._n], int)

    def coverage(self, lower: np.ndarray, upper: np.ndarray) -> float:
        """Return the probability that the number at every point is within its bounds."""
        within, log_scale = np.ones(1), 0.0  # masses of the numbers from lower[i] to upper[i]
        for i, step in enumerate(self._steps):
            reached = np.convolve(within, step)[lower[i + 1] - lower[i] :][: upper[i + 1] - lower[i + 1] + 1]
            total = reached.sum()
            if total == 0.0:
                return 0.0
            within, log_scale = reached / total, log_scale + np.log(total)
        return float(np.exp(log_scale - self._log_sum))
