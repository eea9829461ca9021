"""How strongly the columns of a table depend on one another, in held-out data and in what the model draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from obsvae.inference.checks.predictive import Predictive
from obsvae.inference.columns import ColumnLike

# Numbers are cut at their quintiles; of more columns than this the pairs are too many.
_CELLS, _COLUMNS = 5, 40
# Sets of draws, each as many as the data.
_SETS = 20


@dataclass(frozen=True)
class PairFit:
    """The dependence of two columns.

    Attributes:
        columns: their numbers, from 0.
        n: number of data that have both.
        observed: Cramér's V of the held-out data, from 0 (none) to 1 (each tells the other).
        drawn: the median V of sets of as many draws from the model, with as many missing entries.
        low: the least of them.
        high: the greatest of them.
    """

    columns: tuple[int, int]
    n: int
    observed: float
    drawn: float
    low: float
    high: float

    @property
    def is_within(self) -> bool:
        """Whether the observed value is within those drawn; of 20 sets it is in 19 of 21 right models."""
        return self.low <= self.observed <= self.high


def pair_fits(check: Predictive, columns: Sequence[ColumnLike]) -> list[PairFit]:
    r"""Hold the dependence of each two columns of a table against what the model draws, the strongest first.

    .. math:: V = \sqrt{\frac{\max(0,\ \varphi^2 - (r-1)(c-1)/(n-1))}{\min(\tilde r - 1,\ \tilde c - 1)}}, \qquad
              \tilde k = k - \frac{(k-1)^2}{n-1}

    where φ² is the mean square contingency of r × c cells: levels, and numbers cut at the quintiles of their own
    sample, so that no misfit of a single column counts. It is corrected for its bias, since few data look dependent by
    chance. Of more than 40 columns those are taken that have the most entries.

    Args:
        check: of the table, ``(N, D)``.
        columns: of it.

    Reference: Bergsma, *A bias-correction for Cramér's V and Tschuprow's T*, Journal of the Korean Statistical Society
    2013.
    """
    missing = np.isnan(check.observed)
    taken = sorted(np.argsort(missing.sum(0), kind="stable")[:_COLUMNS].tolist())
    N = len(check.observed)
    sets = [check.simulated[i * N : (i + 1) * N] for i in range(min(_SETS, len(check.simulated) // N))]
    samples = [check.observed, *(np.where(missing, np.nan, drawn) for drawn in sets or [check.simulated[:N]])]
    cells = [[_cells(sample[:, d], columns[d]) for d in taken] for sample in samples]
    fits = []
    for (i, first), (j, second) in combinations(enumerate(taken), 2):
        observed, *drawn = (cramers_v(of[i], of[j]) for of in cells)
        n = int((~missing[:, first] & ~missing[:, second]).sum())
        fits.append(PairFit((first, second), n, observed, float(np.median(drawn)), min(drawn), max(drawn)))
    return sorted(fits, key=lambda fit: -fit.observed)


def strongest(pairs: Sequence[PairFit], most: int = 5) -> list[int]:
    """Return the columns, by number, that stand in the pairs of the strongest dependence as observed."""
    found: list[int] = []
    for pair in pairs:
        added = [d for d in pair.columns if d not in found]
        if len(found) + len(added) <= most:
            found += added
    return sorted(found)


def cramers_v(one: np.ndarray, other: np.ndarray) -> float:
    """Return Cramér's V, corrected for its bias, of two columns of cells ``(N,)``; −1 is a missing entry."""
    both = (one >= 0) & (other >= 0)
    n = int(both.sum())
    if n < 2:
        return 0.0
    first, second = (np.unique(of[both], return_inverse=True)[1] for of in (one, other))
    r, c = first.max() + 1, second.max() + 1
    table = np.bincount(first * c + second, minlength=r * c).reshape(r, c) / n
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True)
    squared = float(((table - expected) ** 2 / expected).sum()) - (r - 1) * (c - 1) / (n - 1)
    least = min(k - (k - 1) ** 2 / (n - 1) for k in (r, c)) - 1
    return float(np.sqrt(max(squared, 0.0) / least).clip(max=1.0)) if least > 0 else 0.0


def _cells(x: np.ndarray, column: ColumnLike) -> np.ndarray:
    """Return the cell of each value ``(N,)``: its level, or the quintile that it is in."""
    missing = np.isnan(x)
    if column.levels is not None:
        return np.where(missing, -1, np.where(missing, 0, x)).astype(int)
    seen = x[~missing]
    cuts = np.unique(np.quantile(seen, np.arange(1, _CELLS) / _CELLS)) if len(seen) else np.zeros(0)
    return np.where(missing, -1, np.searchsorted(cuts, x, side="left"))
