"""The benchmark as a whole: data of each truth, size and seed, a recommendation and the marginal fits for each."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from tqdm import tqdm

from obsvae.data import Dataset
from obsvae.experiments.benchmarks.recommendation.draw import draw_array, draw_table, loaded
from obsvae.experiments.benchmarks.recommendation.truths import TRUTHS, family_of
from obsvae.experiments.recommendation.results import Answer, Recommendation
from obsvae.experiments.verdicts.rules import is_worse

KINDS = ("table", "array")
OURS, PEER = "recommend", "marginal AIC"
ROWS, SEEDS = (2000, 500), 5
_TABLES = 3
TABLES: Sequence[Sequence[str]] = [tuple(TRUTHS)[i::_TABLES] for i in range(_TABLES)]
# For each dataset.
MINUTES: Mapping[str, float] = {"table": 2.0, "array": 1.0}


class Recommend(Protocol):
    """From data to a recommendation."""

    def __call__(self, data: Dataset, *, minutes: float, seeds: int, seed: int, progress: bool) -> Recommendation:
        """Return the recommendation."""


@dataclass(frozen=True)
class Outcome:
    """What a method has answered for data of a known head.

    Attributes:
        kind: ``table`` or ``array``.
        rows: N.
        seed: of the data.
        truth: the name of the head.
        method: which.
        answer: the family that it takes.
        is_right: whether that is the true one, or one that says the same.
        is_tied: whether the true one is among those that it cannot tell from its answer.
        is_declared_wrong: whether it says that the true one is worse, by two standard errors or by leaving it out.
        behind: of the true one to the answer, nats; NaN where it was not tried to the end.
        error: standard error of that.
        seconds: that the data took, a table all its columns.
    """

    kind: str
    rows: int
    seed: int
    truth: str
    method: str
    answer: str
    is_right: bool
    is_tied: bool
    is_declared_wrong: bool
    behind: float
    error: float
    seconds: float


def recommendations(
    recommend: Recommend,
    *,
    kinds: Sequence[str] = KINDS,
    rows: Sequence[int] = ROWS,
    seeds: int = SEEDS,
    truths: Sequence[str] = tuple(TRUTHS),
    minutes: Mapping[str, float] = MINUTES,
    seed: int = 0,
    progress: bool = True,
) -> Iterator[list[Outcome]]:
    """Yield the outcomes for each dataset: those of the recommendation, and of marginal fits to the same values.

    Args:
        recommend: :func:`obsvae.recommend`.
        kinds: ``table``, a third of the truths as columns of each; ``array``, a truth for all features.
        rows: sizes.
        seeds: draws of each.
        truths: names.
        minutes: for each dataset, by kind.
        seed: the first of the seeds.
        progress: show a progress bar.
    """
    jobs = [
        (kind, n, s, of) for n in rows for s in range(seed, seed + seeds) for kind in kinds for of in _of(kind, truths)
    ]
    for kind, n, s, names in tqdm(jobs, disable=not progress, file=sys.stderr, unit="dataset"):
        yield _outcomes(recommend, kind, n, s, names, minutes[kind])


def _of(kind: str, truths: Sequence[str]) -> list[Sequence[str]]:
    """Return the truths of each dataset."""
    if kind == "array":
        return [(name,) for name in truths]
    kept = [tuple(name for name in names if name in truths) for names in TABLES]
    return [names for names in kept if names]


def _outcomes(
    recommend: Recommend, kind: str, rows: int, seed: int, names: Sequence[str], minutes: float
) -> list[Outcome]:
    from obsvae.experiments.benchmarks.recommendation.peer import marginal_family  # loads SciPy's distributions

    x = draw_table(names, rows, seed) if kind == "table" else draw_array(names[0], rows, seed)
    start = time.perf_counter()
    found = recommend(loaded(x), minutes=minutes, seeds=2, seed=seed, progress=False)
    seconds = time.perf_counter() - start
    answers = {answer.question.name or names[0]: answer for answer in found.answers}
    outcomes = []
    for name in names:
        outcomes.append(outcome_of(answers[name], name, kind, rows, seed, seconds))
        start = time.perf_counter()
        columns = [x[name]] if not isinstance(x, np.ndarray) else list(x.T)
        family = marginal_family(columns)
        outcomes.append(peer_outcome(family, name, kind, rows, seed, time.perf_counter() - start))
    return outcomes


def outcome_of(answer: Answer, name: str, kind: str, rows: int, seed: int, seconds: float) -> Outcome:
    """Return how a recommendation's answer compares with the truth."""
    truth = TRUTHS[name]
    right = [one for one in answer.contenders if truth.is_right(one.candidate.observation)]
    tried = [one.final for one in right if one.final is not None]
    best = max(tried, key=lambda final: final.mean, default=None)
    is_tied = any(truth.is_right(text) for text in answer.tied)
    # Of one that was not tried to the end for lack of time nothing is declared.
    is_left_out = best is None and all(one.dropped for one in right)
    is_behind = best is not None and is_worse(best)
    return Outcome(
        kind,
        rows,
        seed,
        name,
        OURS,
        family_of(answer.winner),
        truth.is_right(answer.winner),
        is_tied,
        not (is_tied or truth.is_right(answer.winner)) and (is_left_out or is_behind),
        float("nan") if best is None else best.mean,
        float("nan") if best is None else best.standard_error,
        seconds,
    )


def peer_outcome(family: str, name: str, kind: str, rows: int, seed: int, seconds: float) -> Outcome:
    """Return how a marginal fit compares with the truth: a spread from z, of which it knows nothing, is forgiven."""
    truth = TRUTHS[name]
    is_right = truth.is_right(family) or name.partition(":scale=decoder")[0] == family
    nan = float("nan")
    return Outcome(kind, rows, seed, name, PEER, family, is_right, is_right, not is_right, nan, nan, seconds)
