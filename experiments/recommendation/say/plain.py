"""A recommendation as plain values, which JSON can hold."""

from dataclasses import asdict
from typing import Any

from obsvae.experiments.recommendation.results import Answer, Contender, Recommendation
from obsvae.experiments.recommendation.say.answers import say
from obsvae.experiments.recommendation.say.learning import pace_of, trend
from obsvae.experiments.recommendation.say.looks import measure_words
from obsvae.experiments.recommendation.say.whole import sentences
from obsvae.inference import Difference

FORMAT = 2


def plain(recommendation: Recommendation, command: str) -> dict[str, Any]:
    """Return a recommendation as plain values; all scores and differences are in nats per datum, in data units.

    Of the whole: ``format``; ``data``; ``observation`` to train with; ``command`` that trains it; ``sentences``;
    ``warnings``; ``rows`` by use; ``networks``, ``training`` and ``seeds`` of all candidates; ``seconds`` in all;
    ``answers``.

    Of an answer: ``name`` of the column, empty for an array; ``take``, the observation; ``tied``, those that cannot
    be told from the best; ``is_open``, whether time ran out before they were, or before all were tried;
    ``sentence``; ``habits``, ``learning``, ``doubts`` in words; ``learning_gets``: harder, no harder, easier or
    null; ``misfits``, each a ``text`` with its ``size`` as a share of the rows; ``gain`` over the column's own
    distribution; ``measure`` in words; ``grid`` whose cells' masses are ranked, or null; ``look``, what the values
    look like; ``contenders`` from best to worst; ``refused``, each an ``observation`` with its ``why``.

    Of a contender: ``observation``, ``reason``, ``group``, ``complexity``, ``is_habit``, ``is_likelihood``;
    ``dropped``, why, or empty; ``screened``: marginal score against the best; ``choosing``: against the choice on the
    rows that choose; ``to_choice``: on the final ones; ``nats_per_datum`` there; ``epochs_to_near_best``,
    ``seconds_to_near_best``: until within 1 % of its best, medians; ``seconds`` to train; ``seeds``; ``diverged``;
    ``flagged``, a share; ``curves``, by seed, validation scores by epoch. A difference has a ``mean`` and a
    ``standard_error``. What is not known is null.

    Args:
        recommendation: what to tell.
        command: that trains what it recommends.
    """
    return {
        "format": FORMAT,
        "data": recommendation.data,
        "observation": recommendation.observation,
        "command": command,
        "sentences": sentences(recommendation),
        "warnings": list(recommendation.warnings),
        "rows": dict(recommendation.rows),
        "networks": dict(recommendation.networks),
        "training": dict(recommendation.training),
        "seeds": recommendation.seeds,
        "seconds": recommendation.seconds,
        "answers": [_answer(answer) for answer in recommendation.answers],
    }


def _answer(answer: Answer) -> dict[str, Any]:
    said, question = say(answer), answer.question
    return {
        "name": question.name,
        "take": answer.winner,
        "tied": list(answer.tied),
        "is_open": answer.is_open,
        "sentence": said.sentence,
        "habits": list(said.habits),
        "learning": said.learning,
        "learning_gets": trend(answer),
        "doubts": list(said.doubts),
        "misfits": [{"text": one.text, "size": float(one.size)} for one in answer.misfits],
        "gain": _difference(answer.gain),
        "measure": measure_words(question),
        "grid": None if question.grid is None else asdict(question.grid),
        "look": asdict(question.look),
        "contenders": [_contender(one) for one in answer.contenders],
        "refused": [asdict(one) for one in question.refused],
    }


def _contender(one: Contender) -> dict[str, Any]:
    pace = pace_of(one)
    return {
        **asdict(one.candidate),
        "dropped": one.dropped,
        "screened": _difference(one.screened),
        "choosing": _difference(one.difference),
        "to_choice": _difference(one.final),
        "nats_per_datum": _number(one.nats),
        "epochs_to_near_best": None if pace is None else float(pace.epochs),
        "seconds_to_near_best": None if pace is None else float(pace.seconds),
        "seconds": _number(one.seconds),
        "seeds": int(one.seeds),
        "diverged": int(one.diverged),
        "flagged": float(one.flagged),
        "curves": [{"seconds": curve.seconds.tolist(), "score": curve.score.tolist()} for curve in one.curves],
    }


def _difference(difference: Difference | None) -> dict[str, float] | None:
    if difference is None:
        return None
    return {"mean": float(difference.mean), "standard_error": float(difference.standard_error)}


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)
