"""The tables of a recommendation: a line for each question, and a line for each contender."""

from collections.abc import Callable, Mapping, Sequence

from obsvae.experiments.recommendation.results import Answer, Contender
from obsvae.experiments.recommendation.say.answers import confirmed, difference_of, habit_in, is_untried, say
from obsvae.experiments.recommendation.say.learning import pace_of
from obsvae.experiments.verdicts.habits import SQUARED_ERROR, habit_of
from obsvae.experiments.verdicts.rules import is_worse
from obsvae.experiments.verdicts.words import measured, number
from obsvae.inference import Difference

Lines = Sequence[Mapping[str, str]]
_TO_CHOICE, _CHOOSING = "to the choice ± s.e.", "choosing ± s.e."


def overview(answers: Sequence[Answer]) -> Lines:
    """Return a line for each question, in the order of the table; a column that is empty throughout is left out."""
    lines = [
        {
            "column": answer.question.name or "all of x",
            "take": answer.winner,
            "not told from": ", ".join(name for name in answer.tied if name != answer.winner),
            "better than": _nearest(answer)[0],
            "by, nats": _nearest(answer)[1],
            "squared error costs": _cost(answer),
            "others tell": "" if answer.gain is None else measured(answer.gain),
            "misfit": next(iter(say(answer).misfits), ""),
            "in doubt": "yes" if say(answer).doubts else "",
        }
        for answer in answers
    ]
    return _filled(lines)


def contenders(answer: Answer) -> Lines:
    """Return a line for each contender of a question; a column that is empty throughout is left out."""
    lines = [_line(place, one, answer) for place, one in enumerate(answer.contenders, 1)]
    return _filled(lines)


def refused(answer: Answer) -> Lines:
    """Return a line for each observation that does not come in question."""
    return [{"observation": one.observation, "why not": one.why} for one in answer.question.refused]


def _line(place: int, one: Contender, answer: Answer) -> dict[str, str]:
    name, pace = one.candidate.observation, pace_of(one)
    mark = "take" if name == answer.winner else "tied" if name in answer.tied else ""
    return {
        "": mark or ("dropped" if one.dropped else "not tried" if is_untried(one) else str(place)),
        "observation": name,
        _TO_CHOICE: "" if one.final is None else measured(one.final),
        _CHOOSING: "" if one.difference is None else measured(one.difference),
        "log p, nats": "" if one.nats is None else number(one.nats),
        "marginal, to the best": "" if one.screened is None else measured(one.screened),
        "epochs to 1 %": "" if pace is None else f"{pace.epochs:g}",
        "s to 1 %": "" if pace is None else number(pace.seconds),
        "s to train": "" if one.seconds is None else number(one.seconds),
        "diverged": f"{one.diverged} of {one.seeds}" if one.diverged else "",
        "flagged": f"{one.flagged:.0%}" if one.flagged else "",
        "why": one.dropped or one.candidate.reason,
    }


def _nearest(answer: Answer) -> tuple[str, str]:
    """Return the best of those that are not tied, and how much the winner is better; nothing where that is open."""
    found = {
        one.candidate.observation: difference
        for one in confirmed(answer)
        if one.candidate.observation not in (*answer.tied, answer.winner)
        and (difference := difference_of(one)) is not None
    }
    if not found:
        return "", ""
    name = max(found, key=lambda of: found[of].mean)
    return (name, measured(found[name], -1)) if is_worse(found[name]) else ("", "")


def _cost(answer: Answer) -> str:
    """Return what squared error costs, or what became of it."""
    ours = [one for one in answer.contenders if habit_in(one) == SQUARED_ERROR]
    if any(one.candidate.observation == answer.winner for one in ours):
        return "the choice"
    if not ours:
        return "refused" if any(habit_of(one.observation) == SQUARED_ERROR for one in answer.question.refused) else ""
    known: list[Difference] = [found for one in ours if not one.dropped and (found := difference_of(one)) is not None]
    if not known:
        return "not tried" if any(map(is_untried, ours)) else "dropped"
    best = max(known, key=lambda difference: difference.mean)
    return measured(best, -1) if is_worse(best) else f"({measured(best, -1)})"


def _filled(lines: Lines) -> Lines:
    keys = [key for key in (lines[0] if lines else {}) if any(line[key] for line in lines)]
    return [{key: line[key] for key in keys} for line in lines]


def narrow(lines: Lines) -> Lines:
    """Return the lines of contenders with what a terminal has room for."""
    has_final = any(line.get(_TO_CHOICE) for line in lines)
    left_out = {_CHOOSING, "log p, nats", "marginal, to the best", "s to train"} - (set() if has_final else {_CHOOSING})
    return [{key: cell for key, cell in line.items() if key not in left_out} for line in lines]


def escaped(lines: Lines, escape: Callable[[str], str]) -> Lines:
    """Return lines whose cells are written otherwise."""
    return [{key: escape(cell) for key, cell in line.items()} for line in lines]
