"""The scores of trials, put together."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from obsvae.experiments.jobs.job import read_result
from obsvae.experiments.recommendation.confirming.differences import Scores, best_of, differences
from obsvae.experiments.recommendation.confirming.trial import Trial, read_scores
from obsvae.experiments.recommendation.confirming.unpaired import Trials, best_of_trials, unpaired_differences
from obsvae.inference import Difference


def collect(trials: Iterable[Trial], split: str) -> dict[str, dict[str, dict[int, np.ndarray]]]:
    """Return the scores of the trials that ended well, of each candidate at most one a seed.

    Returns:
        By question, candidate and seed.
    """
    found: dict[str, dict[str, dict[int, np.ndarray]]] = {}
    for one, name, scores in _scored(trials, split):
        found.setdefault(name, {}).setdefault(one.families[name], {})[one.training["seed"]] = scores
    return found


def collect_trials(trials: Iterable[Trial], split: str) -> dict[str, dict[str, list[np.ndarray]]]:
    """Return the scores of the trials that ended well, by question and candidate, one after another."""
    found: dict[str, dict[str, list[np.ndarray]]] = {}
    for one, name, scores in _scored(trials, split):
        found.setdefault(name, {}).setdefault(one.families[name], []).append(scores)
    return found


def against(
    references: Mapping[str, str], second: Mapping[str, Scores], first: Mapping[str, Trials], errors: float
) -> dict[str, dict[str, Difference]]:
    """Return the difference of each candidate to a reference, by question.

    It is that of the second rung, seed by seed. One that the second rung had no time for has that of the first.

    Args:
        references: by question.
        second: the scores of the second rung.
        first: those of the first.
        errors: the number of standard errors that they will be held against.
    """
    paired = {name: second[name] for name, one in references.items() if one in second.get(name, {})}
    found = differences(paired, references, errors=errors)
    for name, one in references.items():
        if one in first.get(name, {}):
            found[name] = {**unpaired_differences(first[name], one, errors), **found.get(name, {})}
    return found


def leaders_of(
    alive: Mapping[str, Iterable[str]], second: Mapping[str, Scores], first: Mapping[str, Trials]
) -> dict[str, str]:
    """Return the best candidate of each question, by the second rung, or where it tells nothing by the first."""
    found = {}
    for name, some in alive.items():
        tried = {one: second[name][one] for one in some if one in second.get(name, {})}
        before = {one: first[name][one] for one in some if one in first.get(name, {})}
        if tried or before:
            found[name] = best_of(tried) if tried else best_of_trials(before)
    return found


def _scored(trials: Iterable[Trial], split: str) -> Iterator[tuple[Trial, str, np.ndarray]]:
    for one in trials:
        if "seconds" in (read_result(one.out) or {}):
            for name, scores in read_scores(one.out, split).items():
                if not np.isnan(scores).all():
                    yield one, name, scores
