"""Differences of candidates' scores by trials that share nothing but the rows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from obsvae.experiments.verdicts.rules import is_worse
from obsvae.inference import Difference

# The scores of a question's candidates: by candidate those of each trial that tells of it, (N,), NaN where an entry is
# missing.
Trials = Mapping[str, Sequence[np.ndarray]]
# The degrees of freedom that what all candidates say of the variance of a trial counts for at most. Those are left out
# whose own is beyond this many times the median: of a candidate that diverges now and then it says nothing of others.
_BORROWED, _ERRATIC = 6.0, 20.0
# What to expect of that variance, in those of a row's difference, where others tell nothing of it and one of the two
# has a single trial; and the degrees of freedom that it counts for.
_EXPECTED = 0.02, 2.0


def unpaired_differences(scores: Trials, reference: str, errors: float) -> dict[str, Difference]:
    r"""Return the difference of each candidate to a reference, by trials in which other columns had other families.

    .. math:: \mathrm{se}^2 = \frac{\operatorname{var}_n (\bar x_n - \bar y_n)}{N} + \frac{s_x^2}{T_x}
              + \frac{s_y^2}{T_y}

    of the mean scores x, y of N rows over the T trials of each. s² is the variance of a trial's mean over the rows: it
    holds what stands beside a candidate, the seed, and the noise of the estimates. That of a candidate is drawn to the
    mean of all others that are not erratic, as though of six degrees of freedom at most; where these tell nothing and
    one of the two has a single trial, to what to expect, 0.02 times the variance of a row's difference, as though of
    two. The standard error is widened so that ``errors`` of them are the quantile of Student's t with Welch's and
    Satterthwaite's degrees of freedom.

    Args:
        scores: of one question.
        reference: the candidate that the others are held against.
        errors: the number of standard errors that a difference will be held against.

    Returns:
        By candidate. The standard error is NaN where there is but one row.

    References: Welch, *The generalization of "Student's" problem when several different population variances are
    involved*, Biometrika 1947; Smyth, *Linear models and empirical Bayes methods for assessing differential expression
    in microarray experiments*, 2004 (variances drawn to those of others).
    """
    scores = _on_rows_of_all(scores)
    rows = {one: np.mean(of_trials, 0) for one, of_trials in scores.items()}
    trials = {one: _OfTrials.of(of_trials) for one, of_trials in scores.items()}
    found = {reference: Difference(0.0, 0.0)}
    for one in scores:
        if one != reference:
            pair = trials[one], trials[reference]
            others = [trials[name] for name in scores if name not in (one, reference)]
            found[one] = _difference(rows[one] - rows[reference], pair, others, errors)
    return found


def surely_behind(scores: Trials, errors: float) -> dict[str, Difference]:
    """Return the difference to the best of each candidate that is behind by more than chance, and behind the next, too.

    The best of many is the luckiest, too, and may be one whose trials differ by more than others': held against it
    alone too many would be behind. Each takes two trials at least.

    Args:
        scores: of one question.
        errors: the number of standard errors that are beyond chance.
    """
    tried = {one: of_trials for one, of_trials in scores.items() if len(of_trials) > 1}
    if len(tried) < 2:
        return {}
    best = best_of_trials(tried)
    found = unpaired_differences(tried, best, errors)
    behind = {one: difference for one, difference in found.items() if is_worse(difference, errors)}
    if len(tried) == 2:
        return behind
    second = best_of_trials({one: of_trials for one, of_trials in tried.items() if one != best})
    to_second = unpaired_differences(tried, second, errors)
    return {one: difference for one, difference in behind.items() if is_worse(to_second[one], errors)}


def best_of_trials(scores: Trials) -> str:
    """Return the candidate with the highest mean score over its trials, on the rows that all trials have scored."""
    on_rows = _on_rows_of_all(scores)
    return max(scores, key=lambda one: float(np.mean([_mean(rows) for rows in on_rows[one]])))


def _on_rows_of_all(scores: Trials) -> Trials:
    """Return scores that are NaN wherever those of any trial are: some may have scored fewer rows than others."""
    lacking = np.any([np.isnan(rows) for of_trials in scores.values() for rows in of_trials], 0)
    return {one: [np.where(lacking, np.nan, rows) for rows in of_trials] for one, of_trials in scores.items()}


def _mean(rows: np.ndarray) -> float:
    there = rows[~np.isnan(rows)]
    return float(there.mean()) if len(there) else math.nan


@dataclass(frozen=True)
class _OfTrials:
    """The variance of a trial's mean over rows with its degrees of freedom, 0 where it is not known; and the trials."""

    variance: float
    df: int
    number: int

    @classmethod
    def of(cls, trials: Sequence[np.ndarray]) -> "_OfTrials":
        means = [mean for mean in map(_mean, trials) if math.isfinite(mean)]
        return cls(float(np.var(means, ddof=1)) if len(means) > 1 else 0.0, max(0, len(means) - 1), len(trials))


def _typical(trials: Sequence[_OfTrials]) -> tuple[float, float]:
    """Return the typical variance of a trial's mean, with the degrees of freedom that it counts for, 0 for nothing."""
    known = [one for one in trials if one.df]
    if not known:
        return 0.0, 0.0
    most = _ERRATIC * float(np.median([one.variance for one in known]))
    usual = [one for one in known if one.variance <= most]
    df = sum(one.df for one in usual)
    return sum(one.variance * one.df for one in usual) / df, min(_BORROWED, df)


def _difference(
    of_rows: np.ndarray, pair: Sequence[_OfTrials], others: Sequence[_OfTrials], errors: float
) -> Difference:
    d = of_rows[~np.isnan(of_rows)]
    if len(d) < 2:
        return Difference(float(d.mean()) if len(d) else math.nan, math.nan)
    if d.mean() == -math.inf:  # a row that has no probability under it
        return Difference(-math.inf, 0.0)
    of_a_row = float(d.var(ddof=1))
    typical, borrowed = _typical(others)
    if not borrowed and not all(one.df for one in pair):
        typical, borrowed = _EXPECTED[0] * of_a_row / 2, _EXPECTED[1]
    # What adds up to the variance, with its degrees of freedom: the rows, each candidate's own trials, all others'.
    parts = [(of_a_row / len(d), len(d) - 1.0)]
    parts += [(one.variance * one.df / ((one.df + borrowed) * one.number), one.df) for one in pair if one.df]
    if borrowed:
        parts.append((sum(typical * borrowed / ((one.df + borrowed) * one.number) for one in pair), borrowed))
    total = sum(variance for variance, _ in parts)
    if total == 0:  # the same scores
        return Difference(float(d.mean()), 0.0)
    from scipy.stats import norm, t  # takes half a second to load

    freedom = total**2 / sum(variance**2 / df for variance, df in parts)
    return Difference(float(d.mean()), math.sqrt(total) * float(t.isf(norm.sf(errors), freedom)) / errors)
