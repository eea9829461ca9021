"""How far what the model draws is from held-out data, column by column."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from obsvae.inference.checks.band import BAND
from obsvae.inference.checks.predictive import Predictive
from obsvae.inference.columns import ColumnLike, is_ordered

# Draws of a total variation under chance.
_SIMULATIONS = 2000
LEVELS = (0.5, 0.9)


@dataclass(frozen=True)
class ColumnFit:
    """How one column of held-out data fits what the model draws.

    Attributes:
        name: of the column.
        n: number of entries that are seen.
        distance: between observed and drawn, from 0 to 1: Kolmogorov's, the greatest difference of the distribution
            functions; of levels without order the total variation, half the sum of the differences of their shares.
        bound: that a right model passes one time in twenty, for this column by itself.
        coverage: share of the entries within the model's central intervals of 50 % and 90 %; NaN without an order.
    """

    name: str
    n: int
    distance: float
    bound: float
    coverage: tuple[float, float]

    @property
    def misfit(self) -> float:
        """The distance as a multiple of its bound; 0 where no entry is seen."""
        return self.distance / self.bound if self.n else 0.0


def column_fits(check: Predictive, columns: Sequence[ColumnLike]) -> list[ColumnFit]:
    """Hold each column of a table against what the model draws, the worst first.

    The distance of values with an order is that of their randomised ranks among the draws from the uniform
    distribution, so that it is for numbers, counts and levels alike. The bounds take in the noise of the draws.

    Args:
        check: of the table, ``(N, D)``.
        columns: of it.
    """
    covered = check.coverage(LEVELS)
    fits = []
    for d, column in enumerate(columns):
        ranks = check.pit[:, d][~np.isnan(check.pit[:, d])]
        n, draws = len(ranks), len(check.simulated)
        inside = (float(covered[0, d]), float(covered[1, d])) if n and is_ordered(column) else (math.nan, math.nan)
        if not n:
            found = math.nan, math.nan
        elif is_ordered(column):
            found = _kolmogorov(ranks, draws)
        else:
            found = _total_variation(check.observed[:, d], check.simulated[:, d], check.seed)
        fits.append(ColumnFit(column.name, n, *found, inside))
    return sorted(fits, key=lambda fit: -fit.misfit)


def _kolmogorov(ranks: np.ndarray, draws: int) -> tuple[float, float]:
    """Return the distance of ranks among the same draws from the uniform, and what chance passes one time in twenty."""
    from scipy import stats  # takes half a second to load

    bound = float(stats.kstwo.ppf(BAND, len(ranks))) * math.sqrt(1.0 + len(ranks) / draws)
    return float(stats.kstest(ranks, "uniform").statistic), bound


def _total_variation(observed: np.ndarray, simulated: np.ndarray, seed: int) -> tuple[float, float]:
    """Return the total variation between two samples of levels, and what chance passes one time in twenty."""
    seen = observed[~np.isnan(observed)]
    levels, codes = np.unique(np.concatenate([seen, simulated]), return_inverse=True)
    n, draws = len(seen), len(simulated)
    counts = [np.bincount(of, minlength=len(levels)) for of in (codes[:n], codes[n:])]
    pooled = (counts[0] + counts[1]) / (n + draws)
    generator = np.random.default_rng(seed)
    first, second = (generator.multinomial(size, pooled, _SIMULATIONS) / size for size in (n, draws))
    chance = 0.5 * np.abs(first - second).sum(1)
    distance = 0.5 * np.abs(counts[0] / n - counts[1] / draws).sum()
    # A single level leaves no room for chance; nor for a distance.
    return float(distance), max(float(np.quantile(chance, BAND)), 1.0 / n)
