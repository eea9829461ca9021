"""Whether learning gets harder with the choice than with what people write out of habit."""

import statistics
from dataclasses import dataclass
from typing import Literal

import numpy as np

from obsvae.experiments.recommendation.results import Answer, Contender
from obsvae.experiments.verdicts.words import capital, counted, listed, number

# As many times the epochs are more, or fewer, and the seconds, which other work on the machine moves.
_RATIO, _OF_SECONDS = 1.5, 2.0

Trend = Literal["harder", "no harder", "easier"]


@dataclass(frozen=True)
class Pace:
    """How soon a candidate is within 1 % of its best, medians over seeds.

    Attributes:
        epochs: until then.
        seconds: until then.
    """

    epochs: float
    seconds: float


def pace_of(contender: Contender) -> Pace | None:
    """Return how soon a contender is near its best; None where no curve was kept."""
    curves = [curve for curve in contender.curves if np.isfinite(curve.score).any()]
    if not curves:
        return None
    epochs = [curve.epochs_to() for curve in curves]
    seconds = [float(curve.seconds[n - 1]) for curve, n in zip(curves, epochs, strict=True)]
    return Pace(statistics.median(epochs), statistics.median(seconds))


def learning_words(answer: Answer) -> str:
    """Return whether learning gets harder, in a sentence; empty where nothing is known of it."""
    winner, habits = _sides(answer)
    pace = None if winner is None else pace_of(winner)
    if pace is None:
        return capital(_diverged(answer)) if any(one.diverged for one in answer.contenders) else ""
    paces = {answer.winner: pace, **{one.candidate.observation: found for one, found in habits}}
    told = "to within 1 % of its best " + listed([f"{name} takes {_tempo(found)}" for name, found in paces.items()])
    direction = trend(answer)
    first = f"learning gets {direction}: {told}" if direction else told
    return f"{capital(first)}; {_diverged(answer)}"


def trend(answer: Answer) -> Trend | None:
    """Return whether learning takes longer with the winner than with a habit, or diverges more often.

    None where there is no habit but the winner, or no curves were kept.
    """
    winner, habits = _sides(answer)
    pace = None if winner is None else pace_of(winner)
    if winner is None or pace is None or not habits:
        return None
    epochs, seconds = (min(getattr(found, key) for _, found in habits) for key in ("epochs", "seconds"))
    more = _share_diverged(winner) - min(_share_diverged(one) for one, _ in habits)
    if more > 0 or pace.epochs > _RATIO * epochs or pace.seconds > _OF_SECONDS * seconds:
        return "harder"
    return "easier" if _RATIO * pace.epochs < epochs and pace.seconds < seconds else "no harder"


def _sides(answer: Answer) -> tuple[Contender | None, list[tuple[Contender, Pace]]]:
    """Return the winner, and the habits that were trained beside it, each with its pace."""
    winner = next((one for one in answer.contenders if one.candidate.observation == answer.winner), None)
    others = [one for one in answer.contenders if one.candidate.is_habit and one is not winner and not one.dropped]
    return winner, [(one, pace) for one in others if (pace := pace_of(one)) is not None]


def _share_diverged(one: Contender) -> float:
    return one.diverged / max(one.seeds, 1)


def _tempo(pace: Pace) -> str:
    epochs = f"{pace.epochs:g}"
    return f"{epochs} {'epoch' if epochs == '1' else 'epochs'} ({number(pace.seconds)} s)"


def _diverged(answer: Answer) -> str:
    seeds = sum(one.seeds for one in answer.contenders)
    which = [f"{one.candidate.observation} {one.diverged} of {one.seeds}" for one in answer.contenders if one.diverged]
    return f"seeds that diverged: {listed(which)}" if which else f"none of {counted(seeds, 'training')} diverged"
