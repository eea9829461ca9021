"""A whole recommendation in words."""

from collections import Counter
from collections.abc import Sequence

from obsvae.experiments.recommendation.results import Answer, Recommendation
from obsvae.experiments.recommendation.say.answers import confirmed, difference_of, habit_in, is_untried, say
from obsvae.experiments.recommendation.say.learning import trend
from obsvae.experiments.verdicts.habits import CROSS_ENTROPY, SQUARED_ERROR, habit_of
from obsvae.experiments.verdicts.rules import is_worse
from obsvae.experiments.verdicts.words import capital, counted, listed, worth
from obsvae.inference import Difference

# Columns up to which each has its own sentence; of more there are totals.
FEW = 5
_FAMILIES = 6
_STANDINGS = {
    "ahead": "the choice is better than all others",
    "tied": "the simplest of those that cannot be told apart is taken",
    "so far": "time did not suffice to tell the choice from others",
    "open": "the final rows do not bear the choice out",
    "alone": "there was nothing to hold it against",
}


def sentences(recommendation: Recommendation) -> list[str]:
    """Return what to take and what it is worth: a sentence for each question, or the totals of many."""
    answers = recommendation.answers
    if len(answers) <= FEW:
        said = [capital(f"{say(answer).sentence}.") for answer in answers]
        return said if len(answers) == 1 else [*said, *_totals(answers)]
    return [_overview(answers), *_totals(answers)]


def _overview(answers: Sequence[Answer]) -> str:
    """Return which families are taken, and how many columns decide."""
    families = Counter(answer.winner for answer in answers)
    taken = [f"{name} for {number}" for name, number in families.most_common(_FAMILIES)]
    others = sum(families.values()) - sum(number for _, number in families.most_common(_FAMILIES))
    taken += [f"others for {others}"] if others else []
    said = f"Of {len(answers)} columns, take {listed(taken, len(taken))}."
    kinds = Counter(map(_standing, answers))
    parts = [f"for {kinds[kind]} {words}" for kind, words in _STANDINGS.items() if kinds[kind]]
    return f"{said} {capital('; '.join(parts))}."


def _standing(answer: Answer) -> str:
    """Return how an answer stands, a key of the words for it."""
    if answer.is_open:
        return "so far"
    if len(answer.tied) > 1:
        return "tied"
    others = [one for one in confirmed(answer) if one.candidate.observation != answer.winner]
    if not others:
        return "alone"
    found = [difference for one in others if (difference := difference_of(one)) is not None]
    return "ahead" if all(map(is_worse, found)) else "open"


def _totals(answers: Sequence[Answer]) -> list[str]:
    """Return what the choice is worth against each habit over all columns, and where learning gets harder."""
    said = []
    for habit in (SQUARED_ERROR, CROSS_ENTROPY):
        if (line := _total(habit, answers)) is not None:
            said.append(line)
    known = [answer for answer in answers if trend(answer) is not None]
    if known:
        harder = [answer.question.name for answer in known if trend(answer) == "harder"]
        which = f"{len(harder)} of {counted(len(known), 'column')}: {listed(harder)}" if harder else "no column"
        said.append(f"Learning gets harder for {which}.")
    return said


def _total(habit: str, answers: Sequence[Answer]) -> str | None:
    """Return what a habit costs in all columns together, each column by itself; None where it was never asked of."""
    chosen, tied, so_far, costs, dropped, untried, refused = 0, 0, 0, list[Difference](), 0, 0, 0
    for answer in answers:
        ours = [one for one in answer.contenders if habit_in(one) == habit]
        names = [one.candidate.observation for one in ours]
        found = [difference for one in ours if (difference := difference_of(one)) is not None and not one.dropped]
        if answer.winner in names:
            chosen += 1
        elif set(names) & set(answer.tied):
            tied, so_far = tied + (not answer.is_open), so_far + answer.is_open
        elif found:
            costs.append(max(found, key=lambda difference: difference.mean))
        elif any(map(is_untried, ours)):
            untried += 1
        elif ours:
            dropped += 1
        else:
            refused += any(habit_of(one.observation) == habit for one in answer.question.refused)
    parts = []
    if costs:
        # Columns are trained and scored one at a time, on the same rows: their errors may add up.
        whole = Difference(sum(one.mean for one in costs), sum(one.standard_error for one in costs))
        what = "costs" if is_worse(whole) else "costs, within the errors,"
        parts.append(f"{what} {worth(whole, 'a row', -1)} over {counted(len(costs), 'column')}")
    if chosen:
        parts.append(f"is the choice for {counted(chosen, 'column')}")
    if tied:
        parts.append(f"makes no difference for {counted(tied, 'column')}")
    if so_far:
        parts.append(f"was not told from the choice in time for {counted(so_far, 'column')}")
    if dropped:
        parts.append(f"was dropped early for {counted(dropped, 'column')}")
    if untried:
        parts.append(f"could not be tried in time for {counted(untried, 'column')}")
    if refused and parts:
        parts.append(f"is refused for {counted(refused, 'column')}")
    elif refused:
        return f"{capital(habit)} is refused for {counted(refused, 'column')}."
    return f"{capital(habit)} {listed(parts)}." if parts else None
