"""From the scores of trials to answers."""

import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from obsvae.data import Dataset
from obsvae.experiments.jobs.job import OUT_OF_TIME, read_result
from obsvae.experiments.recommendation.confirming.confirm import Confirmed, is_complete
from obsvae.experiments.recommendation.confirming.differences import Scores, differences
from obsvae.experiments.recommendation.confirming.scores import against, collect, collect_trials, leaders_of
from obsvae.experiments.recommendation.confirming.standings import Standing
from obsvae.experiments.recommendation.confirming.trial import Trial, read_curve
from obsvae.experiments.recommendation.question import Candidate, Question
from obsvae.experiments.recommendation.results import Answer, Contender
from obsvae.experiments.recommendation.screen import Screening
from obsvae.experiments.use.marginals import marginal_scores
from obsvae.experiments.verdicts.rules import DECLARED, is_worse
from obsvae.inference import Difference
from obsvae.model import by_column_text

_MARGINAL = "its own marginal"


# What the screen has found of the candidates of each question, by text.
Screen = Mapping[str, Mapping[str, Screening]]


@dataclass(frozen=True)
class Found:
    """The answers, and of what they rest on too little.

    Attributes:
        answers: one for each question.
        unsure: the names of the questions of which time left some candidates untried, or tried with fewer seeds.
        unscored: those of which no held-out value was there to tell the candidates apart.
    """

    answers: tuple[Answer, ...]
    unsure: tuple[str, ...]
    unscored: tuple[str, ...]


def answers_of(
    questions: Sequence[Question],
    screened: Screen,
    confirmed: Confirmed,
    data: Dataset,
    rows: Mapping[str, int],
) -> Found:
    """Return the answer to each question.

    The winner is the simplest of those that cannot be told from the best on validation rows, a likelihood where one is
    among them; where time ran out before all trials, of those within one standard error. The differences to it that
    are told in the end are those of test rows, which nothing has been chosen by.

    Args:
        questions: with all their candidates.
        screened: by question and candidate.
        confirmed: what the trials have shown.
        data: on the grids of the questions.
        rows: by split, how many are scored.
    """
    validation, test = collect(confirmed.second, "validation"), collect(confirmed.second, "test")
    first, standings = collect_trials(confirmed.first, "validation"), confirmed.standings
    alive = {name: standing.alive for name, standing in standings.items()}
    to_best = against(leaders_of(alive, validation, first), validation, first, DECLARED)
    winners, ties = dict[str, str](), dict[str, tuple[str, ...]]()
    unsure, unscored = list[str](), list[str]()
    for question in questions:
        name = question.name
        told = _told(alive[name], to_best.get(name, {}))
        planned = [trial for one in alive[name] for trial in confirmed.of(name, one)]
        if len(alive[name]) > 1 and not all(map(is_complete, planned)):
            unsure.append(name)
        elif len(alive[name]) > 1 and not told:
            unscored.append(name)
        # Without trials the screen points at one, and tells it from no other: it had no network.
        leader = standings[name].leader
        is_settled = name not in unsure
        tried = validation.get(name, {})
        found = _winner(question.candidates, told, tried, is_settled) if told else (leader, (leader,))
        winners[name], ties[name] = found
    # What is told are differences to the choice.
    to_choice = against(winners, validation, first, DECLARED)
    scored = {name: winner for name, winner in winners.items() if winner in test.get(name, {})}
    final = differences({name: test[name] for name in scored}, scored)
    gains = _gains(winners, test, data, rows["test"])
    answers = []
    for question in questions:
        name = question.name
        told = _told(alive[name], to_choice.get(name, {}))
        contenders = [
            _contender(
                candidate,
                screened[name],
                standings[name],
                confirmed,
                told,
                final.get(name, {}),
                test.get(name, {}),
            )
            for candidate in question.candidates
        ]
        contenders.sort(key=_from_best_to_worst)
        answers.append(
            Answer(
                question,
                tuple(contenders),
                winners[name],
                ties[name],
                gain=gains.get(name),
                is_open=name in unsure and (len(ties[name]) > 1 or not told.keys() >= set(alive[name])),
            )
        )
    return Found(tuple(answers), tuple(unsure), tuple(unscored))


def _told(alive: Sequence[str], found: Mapping[str, Difference]) -> dict[str, Difference]:
    """Return what tells the candidates that are left apart: nothing where too few of them had any trial."""
    told = {one: found[one] for one in alive if one in found}
    return told if len(told) >= min(2, len(alive)) else {}


def _winner(
    candidates: Sequence[Candidate], told: Mapping[str, Difference], tried: Collection[str], is_settled: bool
) -> tuple[str, tuple[str, ...]]:
    """Return the candidate to take, and all of those that cannot be told from the best.

    It is the simplest of these. Where time ran out before all trials, that they cannot be told apart says little: then
    it is the simplest within one standard error of the best, of those that were tried one at a time if any were.

    Reference: Breiman, Friedman, Olshen and Stone, *Classification and regression trees*, 1984 (one standard error).
    """
    simple = sorted(candidates, key=lambda one: (not one.is_likelihood, one.complexity))
    tied = tuple(one.observation for one in simple if one.observation in told and not is_worse(told[one.observation]))
    near = [text for text in tied if is_settled or not told[text].mean + told[text].standard_error < 0]
    return next((text for text in near if text in tried), near[0]), tied


def _gains(winners: Mapping[str, str], test: Mapping[str, Scores], data: Dataset, rows: int) -> dict[str, Difference]:
    """Return what each winner gains over its column's own marginal on test rows; nothing of an array."""
    known = {name: winner for name, winner in winners.items() if winner in test.get(name, {})}
    if data.columns is None or not known:
        return {}
    marginals = marginal_scores(by_column_text(winners), data, data.test[:rows])
    places = {column.name: d for d, column in enumerate(data.columns)}
    scores = {}
    for name, winner in known.items():
        of_seeds = test[name][winner]
        scores[name] = {winner: of_seeds, _MARGINAL: dict.fromkeys(of_seeds, marginals[:, places[name]])}
    # A marginal has no seed: what to expect of the difference of two families says nothing of this one.
    found = differences(scores, dict.fromkeys(known, _MARGINAL), expected=(0.0, 0.0))
    return {name: of_question[known[name]] for name, of_question in found.items()}


def _contender(
    candidate: Candidate,
    screened: Mapping[str, Screening],
    standing: Standing,
    confirmed: Confirmed,
    told: Mapping[str, Difference],
    final: Mapping[str, Difference],
    test: Scores,
) -> Contender:
    text = candidate.observation
    trials = confirmed.of(standing.name, text)
    results = [(one, result) for one in trials if (result := read_result(one.out)) and result["status"] != OUT_OF_TIME]
    ended = [(one, result) for one, result in results if "seconds" in result]
    known = screened.get(text)
    dropped = (known.dropped if known is not None else "") or standing.dropped.get(text, "")
    return Contender(
        candidate=candidate,
        screened=None if known is None else known.marginal,
        dropped=dropped,
        difference=None if dropped else told.get(text),
        final=final.get(text) if text in told and not dropped else None,
        nats=float(np.mean([np.nanmean(of_seed) for of_seed in test[text].values()])) if text in test else None,
        curves=tuple(read_curve(one.out) for one, _ in ended),
        seconds=_mean([result["seconds"] for _, result in ended]),
        seeds=len(results),
        diverged=sum(bool(result.get("has_diverged")) for _, result in results),
        flagged=_mean([_flagged(one, result, standing.name) for one, result in ended]) or 0.0,
    )


def _flagged(trial: Trial, result: Mapping[str, Mapping[str, Mapping[str, float]]], name: str) -> float:
    """Return the share of a question's scores that are flagged, over all rows that a trial scored."""
    return statistics.mean(result["flagged"][split][name] for split in trial.rows)


def _mean(values: Sequence[float]) -> float | None:
    return statistics.mean(values) if values else None


def _from_best_to_worst(one: Contender) -> tuple[bool, float]:
    """Return the key: first those that were not dropped, by their difference; then by the screen."""
    difference = one.difference or one.screened
    return bool(one.dropped), -difference.mean if difference is not None else np.inf
