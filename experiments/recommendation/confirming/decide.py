"""From questions with screened candidates to a recommendation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from obsvae.data import Dataset
from obsvae.errors import UsageError
from obsvae.experiments.jobs.job import read_result
from obsvae.experiments.jobs.workers import Workers
from obsvae.experiments.recommendation.confirming.answers import Screen, answers_of
from obsvae.experiments.recommendation.confirming.checked import check_winners
from obsvae.experiments.recommendation.confirming.clock import Clock
from obsvae.experiments.recommendation.confirming.confirm import Confirmed, confirm
from obsvae.experiments.recommendation.confirming.effort import Effort, fewer_rows
from obsvae.experiments.recommendation.confirming.standings import Standing
from obsvae.experiments.recommendation.confirming.warnings import warnings_of
from obsvae.experiments.recommendation.question import Candidate, Question
from obsvae.experiments.recommendation.results import Recommendation
from obsvae.experiments.recommendation.screen import Screening
from obsvae.model import by_column_text

# Candidates nearer to one another are level whatever the standard error: without a latent some are the same model.
_LEVEL_NATS = 1e-3


@dataclass(frozen=True)
class Course:
    """How a recommendation goes on.

    Attributes:
        folder: where its trials lie.
        clock: when it ends.
        seeds: of each candidate that is left in the end.
        seed: the first of them.
        workers: which do the trials; None: this process.
        progress: whether to tell of it.
    """

    folder: Path
    clock: Clock
    seeds: int
    seed: int
    workers: Workers | None
    progress: bool


@dataclass(frozen=True)
class Decided:
    """A recommendation, and what its winners draw, by question, in data units."""

    recommendation: Recommendation
    draws: Mapping[str, np.ndarray]


def decide(data: Dataset, questions: Sequence[Question], screened: Screen, effort: Effort, course: Course) -> Decided:
    """Try the candidates that the screen has left, and answer the questions.

    Args:
        data: on the grids of the questions.
        questions: with all their candidates.
        screened: what was found of the candidates, by question and text.
        effort: of a trial.
        course: how it goes on.

    Raises:
        UsageError: for a question without candidates, and where every training failed or diverged.
    """
    standings = [_standing(question, screened[question.name]) for question in questions]
    asked = {one.name for one in standings}
    others = {column.name: column.observation for column in data.columns or () if column.name not in asked}
    used = fewer_rows(data, course.seed)
    confirmed = confirm(
        used,
        standings,
        others,
        effort,
        seeds=course.seeds,
        seed=course.seed,
        folder=course.folder / "trials",
        clock=course.clock,
        workers=course.workers,
        progress=course.progress,
    )
    _require_one_trained(confirmed)
    found = answers_of(questions, screened, confirmed, used, effort.rows)
    winners = {answer.question.name: answer.winner for answer in found.answers}
    checked = check_winners(confirmed, winners, used, course.seed)
    answers = tuple(
        replace(one, misfits=tuple(checked[one.question.name].misfits)) if one.question.name in checked else one
        for one in found.answers
    )
    minutes = course.clock.seconds / 60
    recommendation = Recommendation(
        data=data.name,
        answers=answers,
        observation=winners[""] if data.columns is None else by_column_text(winners),
        warnings=tuple(warnings_of(found, confirmed, data, used, effort.training["epochs"], minutes)),
        rows={"train": len(used.train), "choose": effort.rows["validation"], "final": effort.rows["test"]},
        networks=effort.networks,
        training=effort.training,
        seeds=course.seeds,
        seconds=course.clock.spent,
    )
    return Decided(recommendation, {name: one.draws for name, one in checked.items()})


def _require_one_trained(confirmed: Confirmed) -> None:
    """Refuse to answer by trials that all failed, or diverged: more time would not mend that.

    Raises:
        UsageError: with what the first of them says.
    """
    results = [read_result(one.out) or {} for one in (*confirmed.first, *confirmed.second)]
    ended = [result for result in results if result]
    if ended and all("message" in result for result in ended):
        raise UsageError(f"all {len(ended)} trainings failed; the first: {ended[0]['message']}")


def _standing(question: Question, screened: Mapping[str, Screening]) -> Standing:
    """Return the candidates that the screen has left.

    The simplest likelihood within a standard error of its best leads. What people write out of habit is tried first
    after it: where time runs out it has been answered, and it is fast.
    """
    dropped = {text: one.dropped for text, one in screened.items() if one.dropped}
    left = [one for one in question.candidates if one.observation not in dropped]
    if not left:
        of = f"column {question.name!r}" if question.name else "the array"
        why = question.refused[0].why if question.refused else next(iter(dropped.values()), "none is known")
        raise UsageError(f"no observation comes in question for {of}, such as: {why}")
    alive = [one.observation for one in sorted(left, key=lambda one: not one.is_habit)]
    return Standing(question.name, alive, _leader(left, screened).observation)


def _leader(left: Sequence[Candidate], screened: Mapping[str, Screening]) -> Candidate:
    """Return the simplest likelihood that the screen cannot tell from its best."""
    found = {one: screened[one.observation].given_others for one in left if one.observation in screened}
    scores = {one: score for one, score in found.items() if score is not None and one.is_likelihood}
    best = max((score.mean for score in scores.values()), default=0.0)
    level = [one for one, score in scores.items() if best - score.mean <= max(score.standard_error, _LEVEL_NATS)]
    return min(level or left, key=lambda one: (not one.is_likelihood, one.complexity))
