"""The scores of trials, put together."""

from collections.abc import Iterable, Mapping

import numpy as np

from obsvae.experiments.jobs.job import read_result
from obsvae.experiments.recommendation.confirming.differences import Scores, best_of, differences
from obsvae.experiments.recommendation.confirming.trial import Trial, read_scores
from obsvae.inference import Difference


def collect(trials: Iterable[Trial], split: str) -> dict[str, dict[str, dict[int, np.ndarray]]]:
    """Return the scores of the trials that ended well, by question, candidate and seed.

    Where several trials of a seed tell of a candidate it is their mean.
    """
    found: dict[str, dict[str, dict[int, list[np.ndarray]]]] = {}
    for one in trials:
        if "seconds" not in (read_result(one.out) or {}):
            continue
        for name, scores in read_scores(one.out, split).items():
            if not np.isnan(scores).all():
                of_candidate = found.setdefault(name, {}).setdefault(one.families[name], {})
                of_candidate.setdefault(one.training["seed"], []).append(scores)
    return {
        name: {
            candidate: {seed: np.mean(several, 0) for seed, several in by_seed.items()}
            for candidate, by_seed in of_question.items()
        }
        for name, of_question in found.items()
    }


def against_best(scores: Mapping[str, Scores]) -> dict[str, dict[str, Difference]]:
    """Return by question the difference of each candidate to the best."""
    return differences(scores, {name: best_of(of_question) for name, of_question in scores.items()})
