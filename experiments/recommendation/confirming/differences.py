"""Differences of candidates' scores, with standard errors that hold the rows and the seeds."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from obsvae.experiments.verdicts.rules import DECLARED
from obsvae.inference import Difference

# What to expect of the ratio ρ where little is known, as it is of most columns and arrays, with the degrees of freedom
# that it counts for; and those that what other questions say of it counts for at most.
EXPECTED, _BORROWED = (0.02, 2.0), 4.0

# The scores of a question's candidates: by candidate, by seed, those of the rows (N,), NaN where an entry is missing.
Scores = Mapping[str, Mapping[int, np.ndarray]]


@dataclass(frozen=True)
class _Pair:
    """A candidate less another, on the rows and seeds that both have.

    Attributes:
        mean: over rows and seeds.
        rows: variance of the mean by the rows, of which there are n.
        of_a_row: variance of a row's difference, mean over seeds.
        of_a_seed: variance of a seed's mean difference; NaN for one seed.
        seeds: number of seeds.
        n: number of rows.
    """

    mean: float
    rows: float
    of_a_row: float
    of_a_seed: float
    seeds: int
    n: int

    @property
    def ratio(self) -> float:
        """Variance of a seed's mean difference over that of a row's difference."""
        return self.of_a_seed / self.of_a_row if self.of_a_row > 0 else math.nan


def differences(
    questions: Mapping[str, Scores],
    references: Mapping[str, str],
    expected: tuple[float, float] = EXPECTED,
    errors: float = DECLARED,
) -> dict[str, dict[str, Difference]]:
    r"""Return the difference of each candidate of each question to a reference.

    .. math:: \mathrm{se}^2 = \frac{\operatorname{var}_n \bar d_n}{N} + \frac{\hat\rho\, v}{S}, \qquad
              \bar d_n = \frac{1}{S} \sum_s d_{ns}, \qquad v = \frac{1}{S} \sum_s \operatorname{var}_n d_{ns}

    of the paired differences d of N rows and S seeds. ρ is the variance of a seed's mean difference over v: two seeds
    alone hardly tell it, so that it is pooled over all pairs of candidates of a question, and drawn to that of the
    other questions as though these were four degrees of freedom; to 0.02, for two, where there are no others. The
    standard error is widened so that ``errors`` times it is the quantile of Student's t with Welch's and
    Satterthwaite's degrees of freedom: beyond as many is beyond chance as it would be if the variances were known. With
    one seed in all it holds what to expect of the seeds.

    Args:
        questions: the scores of each question.
        references: by question the candidate that the others are held against.
        expected: ρ where nothing is known of it, with the degrees of freedom that it counts for.
        errors: the number of standard errors that a difference will be held against.

    Returns:
        By question and candidate. The standard error is NaN where a candidate shares no seed with the reference, or
        there is but one row.

    References: Satterthwaite, *An approximate distribution of estimates of variance components*, Biometrics Bulletin
    1946; Smyth, *Linear models and empirical Bayes methods for assessing differential expression in microarray
    experiments*, 2004 (variances drawn to those of others).
    """
    known = {name: _ratio(scores) for name, scores in questions.items()}
    found = {}
    for name, scores in questions.items():
        ratio = _with_others(known[name], [*(other for key, other in known.items() if key != name), expected])
        found[name] = {one: _difference(scores, one, references[name], ratio, errors) for one in scores}
    return found


def best_of(scores: Scores) -> str:
    """Return the candidate that no other is better than on the rows and seeds that both have, most seeds first."""
    best, *others = sorted(scores, key=lambda one: -len(scores[one]))
    for one in others:
        pair = _pair(scores[one], scores[best])
        if (_mean_of(scores[one]) - _mean_of(scores[best]) if pair is None else pair.mean) > 0:
            best = one
    return best


def _difference(scores: Scores, one: str, reference: str, ratio: tuple[float, float], errors: float) -> Difference:
    if one == reference:
        return Difference(0.0, 0.0)
    pair = _pair(scores[one], scores[reference])
    if pair is None:
        return Difference(_mean_of(scores[one]) - _mean_of(scores[reference]), math.nan)
    if pair.mean == -math.inf:  # a row that has no probability under it
        return Difference(pair.mean, 0.0)
    by_seeds, freedom = ratio[0] * pair.of_a_row / pair.seeds, ratio[1] or math.inf
    total = pair.rows + by_seeds
    if not total > 0:  # the same scores, or one row
        return Difference(pair.mean, 0.0 if total == 0 else math.nan)
    from scipy.stats import norm, t  # takes half a second to load

    welch = total**2 / (pair.rows**2 / (pair.n - 1) + by_seeds**2 / freedom)
    return Difference(pair.mean, math.sqrt(total) * float(t.isf(norm.sf(errors), welch)) / errors)


def _mean_of(by_seed: Mapping[int, np.ndarray]) -> float:
    return float(np.mean([np.nanmean(of_seed) for of_seed in by_seed.values()]))


def _ratio(scores: Scores) -> tuple[float, float]:
    """Return the ratio ρ of a question, pooled over all pairs of its candidates, with its degrees of freedom."""
    total, weight = 0.0, 0.0
    for pair in _pairs(scores):
        if not math.isnan(pair.ratio):
            total, weight = total + pair.ratio * (pair.seeds - 1), weight + pair.seeds - 1
    # Pairs of C candidates number C (C − 1) / 2, but only C − 1 of them tell something of their own.
    return (total / weight, 2 * weight / len(scores)) if weight else (math.nan, 0.0)


def _with_others(own: tuple[float, float], others: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return a question's ratio, drawn to the mean of the others', and its degrees of freedom."""
    known = [(ratio, df) for ratio, df in others if df]
    ratio, df = own if own[1] else (0.0, 0.0)
    if not known:
        return ratio, df
    freedom = sum(df for _, df in known)
    mean, borrowed = sum(ratio * df for ratio, df in known) / freedom, min(_BORROWED, freedom)
    return (ratio * df + mean * borrowed) / (df + borrowed), df + borrowed


def _pairs(scores: Scores) -> Iterator[_Pair]:
    for one, other in combinations(scores, 2):
        if (pair := _pair(scores[one], scores[other])) is not None:
            yield pair


def _pair(one: Mapping[int, np.ndarray], other: Mapping[int, np.ndarray]) -> _Pair | None:
    seeds = sorted(one.keys() & other.keys())
    if not seeds:
        return None
    d = np.stack([one[seed] - other[seed] for seed in seeds])  # (S, N)
    d = d[:, ~np.isnan(d).any(0)]
    n = d.shape[1]
    if n < 2:
        return _Pair(float(d.mean()) if n else 0.0, math.nan, math.nan, math.nan, len(seeds), n)
    by_seed = d.mean(1)
    with np.errstate(invalid="ignore"):  # where a row has no probability under one of them
        return _Pair(
            mean=float(d.mean()),
            rows=float(d.mean(0).var(ddof=1)) / n,
            of_a_row=float(d.var(1, ddof=1).mean()),
            of_a_seed=float(by_seed.var(ddof=1)) if len(seeds) > 1 else math.nan,
            seeds=len(seeds),
            n=n,
        )
