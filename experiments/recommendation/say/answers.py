"""The answer to one question in words."""

from dataclasses import dataclass

from obsvae.experiments.recommendation.results import Answer, Contender
from obsvae.experiments.recommendation.say.learning import learning_words
from obsvae.experiments.verdicts.habits import CROSS_ENTROPY, SQUARED_ERROR, habit_of, habit_within
from obsvae.experiments.verdicts.rules import FLAGGED, is_better, is_worse
from obsvae.experiments.verdicts.sentence import sentence
from obsvae.experiments.verdicts.words import capital, counted, listed, measured, worth
from obsvae.inference import Difference


@dataclass(frozen=True)
class Said:
    """What is said of an answer.

    Attributes:
        sentence: what to take, and what that is worth.
        habits: what the sigmoid with cross-entropy and the identity with squared error are, where they were asked of.
        learning: whether learning gets harder; empty where no curves were kept.
        misfits: what the winner does not say, the largest first.
        doubts: why the answer may be wrong.
        gain: how much the other columns tell; empty for arrays.
    """

    sentence: str
    habits: tuple[str, ...]
    learning: str
    misfits: tuple[str, ...]
    doubts: tuple[str, ...]
    gain: str


def say(answer: Answer) -> Said:
    """Return the answer to a question in words."""
    return Said(
        sentence=_sentence(answer),
        habits=tuple(capital(line) for habit in (SQUARED_ERROR, CROSS_ENTROPY) for line in _habit(habit, answer)),
        learning=learning_words(answer),
        misfits=tuple(misfit.text for misfit in answer.misfits),
        doubts=tuple(_doubts(answer)),
        gain=_gain(answer),
    )


def unit_of(answer: Answer) -> str:
    """Return what the nats are of: a row of a table, or a datum of an array."""
    return "a row" if answer.question.name else "a datum"


def confirmed(answer: Answer) -> list[Contender]:
    """Return the contenders that were trained to the end, from best to worst."""
    return [one for one in answer.contenders if not one.dropped and difference_of(one) is not None]


def difference_of(contender: Contender) -> Difference | None:
    """Return the difference to the winner on the final rows; if it is not known, on those that choose."""
    return contender.difference if contender.final is None else contender.final


def _sentence(answer: Answer) -> str:
    ended = confirmed(answer)
    names = {one.candidate.observation: one for one in ended if one.candidate.observation not in answer.tied}
    names.pop(answer.winner, None)
    others = {name: found for name, one in names.items() if (found := difference_of(one)) is not None}
    chosen = {name: found for name, one in names.items() if (found := one.difference) is not None}
    said = sentence(
        answer.winner,
        answer.tied,
        others,
        of=answer.question.name,
        unit=unit_of(answer),
        chosen={**others, **chosen},
        habits={one.candidate.observation: habit_in(one) for one in ended},
        so_far=answer.is_open,
    )
    if others or len(answer.tied) > 1:
        untried = sum(map(is_untried, answer.contenders))
        return f"{said}; {counted(untried, 'other')} could not be tried in time" if untried else said
    return f"{said.partition(': nothing else')[0]}: {_alone(answer)}"


def _alone(answer: Answer) -> str:
    """Return why there is nothing to hold the winner against."""
    if untried := [one.candidate.observation for one in answer.contenders if is_untried(one)]:
        names = [name for name in untried if name != answer.winner]
        return f"{listed(names)} could not be tried in time" if names else "nothing else comes in question"
    if unscored := [one.candidate.observation for one in answer.contenders if _is_unscored(one, answer)]:
        return f"no held-out value tells it from {listed(unscored)}"
    dropped = [one for one in answer.contenders if one.dropped and one.candidate.observation != answer.winner]
    if not dropped:
        return "nothing else comes in question"
    nearest = max(dropped, key=lambda one: one.screened.mean if one.screened is not None else -float("inf"))
    name = nearest.candidate.observation
    if nearest.screened is None:
        return f"the others were dropped early, {name} first: {nearest.dropped}"
    return f"the others were dropped early; the nearest, {name}: {nearest.dropped}"


def is_untried(contender: Contender) -> bool:
    """Return whether there was no time to train a contender to the end, which says nothing against it."""
    return not contender.dropped and difference_of(contender) is None and not contender.seeds


def _is_unscored(one: Contender, answer: Answer) -> bool:
    return not one.dropped and difference_of(one) is None and one.candidate.observation != answer.winner


def habit_in(contender: Contender) -> str:
    """Return the habit that a contender is there for, by itself or in a wrapper; empty where it is there for none."""
    candidate = contender.candidate
    return habit_within(candidate.observation) if candidate.is_habit else ""


def _habit(habit: str, answer: Answer) -> list[str]:
    """Return what is to be said of something that people write whatever the data are."""
    ours = [one for one in answer.contenders if habit_in(one) == habit]
    refused = [one for one in answer.question.refused if habit_of(one.observation) == habit]
    lines = [f"{habit} ({one.candidate.observation}): {_of_contender(one, answer)}" for one in ours]
    # Where the family itself is in question, it does not matter which of its kin are not.
    if refused and not any(habit_of(one.candidate.observation) for one in ours):
        # Of cross-entropy that which takes most says most.
        widest = next((one for one in refused if one.observation == "continuous-bernoulli"), refused[0])
        name = "" if widest.why.startswith(widest.observation) else f"{widest.observation}: "
        lines.insert(0, f"{habit}: refused, {name}{widest.why}")
    return lines


def _of_contender(one: Contender, answer: Answer) -> str:
    name, difference = one.candidate.observation, difference_of(one)
    if name == answer.winner:
        return "this is the choice"
    if one.dropped:
        return f"dropped, {one.dropped}"
    if difference is None:
        return "could not be tried in time" if is_untried(one) else "no held-out value tells it from the choice"
    if name in answer.tied and answer.is_open:
        return f"not yet told from the choice ({measured(difference)} nats {unit_of(answer)})"
    if name in answer.tied:
        return f"no difference to the choice ({measured(difference)} nats {unit_of(answer)})"
    if is_worse(difference):
        return f"costs {worth(difference, unit_of(answer), -1)}"
    return f"{measured(difference)} nats {unit_of(answer)} to the choice on the final rows, which leaves it open"


def _doubts(answer: Answer) -> list[str]:
    found = []
    if answer.is_open:
        found.append("time ran out before those that may be as good were told apart")
    for one in confirmed(answer):
        name = one.candidate.observation
        if name != answer.winner and one.final is not None and is_better(one.final):
            by = worth(one.final, unit_of(answer))
            found.append(f"{name} is better than the choice on the final rows, by {by}")
    flagged = [one for one in confirmed(answer) if one.flagged > FLAGGED]
    if flagged:
        shares = [f"{one.flagged:.0%} of {one.candidate.observation}" for one in flagged]
        found.append(f"estimates that are flagged, and so probably too low: {listed(shares)}")
    ended = confirmed(answer)
    once = [one.candidate.observation for one in ended if one.seeds == 1]
    if once:
        which = "all candidates" if len(once) == len(ended) > 1 else listed(once)
        found.append(f"trained with one seed, so that the spread over seeds is not known: {which}")
    return found


def _gain(answer: Answer) -> str:
    gain = answer.gain
    if gain is None:
        return ""
    told = f"the other columns tell {measured(gain)} nats {unit_of(answer)} beyond its own distribution"
    if is_better(gain):
        return told
    if is_worse(gain):
        return f"{told}: the network has learned less than that says"
    return f"{told}: nothing that can be told from chance"
