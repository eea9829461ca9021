"""The sentence that a ranking ends in: what to take, and what it is worth."""

from collections.abc import Mapping, Sequence

from obsvae.experiments.verdicts.habits import called, habit_of
from obsvae.experiments.verdicts.rules import is_better, is_worse
from obsvae.experiments.verdicts.words import capital, listed, measured, worth
from obsvae.inference import Difference


def sentence(
    winner: str,
    tied: Sequence[str],
    others: Mapping[str, Difference],
    *,
    of: str = "",
    unit: str = "a row",
    simplest: str = "the simplest, ",
    chosen: Mapping[str, Difference] | None = None,
    habits: Mapping[str, str] | None = None,
    so_far: bool = False,
) -> str:
    """Return what to take, and what it is worth against the next, and against what people write out of habit.

    Args:
        winner: the observation to take.
        tied: those that cannot be told from the best, the winner among them.
        others: the difference of each other one to the winner, below 0 where it is worse.
        of: what the winner is for, such as a column.
        unit: of the nats: ``a row`` or ``a datum``.
        simplest: what the winner is among those that are tied.
        chosen: differences on the rows that chose the winner, for where ``others``, on rows that did not, leave it
            open; by default they are the same.
        habits: which habit an observation stands for; by default what its text says.
        so_far: whether time ran out before all were tried, or those that are tied were told apart: the winner is then
            one near the best of those that were tried.
    """
    stands_for = {name: habit_of(name) for name in others} if habits is None else habits
    names = {name: called(name, stands_for.get(name, "")) for name in others}
    subject = (f" for {of}" if of else "") + (" so far" if so_far else "")
    nearest = max(others, key=lambda name: others[name].mean, default=None)
    if len(tied) > 1 and so_far:
        beside = [name for name in tied if name != winner]
        said = f"take {winner}{subject}, not yet told from {listed(beside)}"
    elif len(tied) > 1:
        said = f"no difference between {listed(tied)}{subject}: take {simplest}{winner}"
    else:
        said = f"take {winner}{subject}"
    if nearest is None:
        return said if len(tied) > 1 else f"{said}: nothing else was ranked"
    costs = [name for name in others if stands_for.get(name) and name != nearest]
    if len(tied) > 1:
        costs = [nearest, *costs]
    elif is_worse(others[nearest]):
        said = f"{said}: better than {names[nearest]} by {worth(others[nearest], unit, -1)}"
    else:
        said = f"{said}: {_open(nearest, names[nearest], others[nearest], (chosen or others)[nearest], unit)}"
    for i, name in enumerate(costs):
        # The unit once is enough.
        has_unit = i == 0 and len(tied) > 1
        if is_worse(others[name]):
            said += f"; {names[name]} costs {worth(others[name], unit, -1) if has_unit else measured(others[name], -1)}"
        else:
            by = f"{measured(others[name])} nats {unit}" if has_unit else measured(others[name])
            said += f"; {names[name]} is left open ({by})"
    return said


def _open(name: str, said: str, final: Difference, chosen: Difference, unit: str) -> str:
    """Return what to think where the rows that have not chosen do not bear the choice out."""
    by = f"{measured(final)} nats {unit} worse than {name}" if is_better(final) else f"{measured(final, -1)} better"
    verdict = "which speaks against it" if is_better(final) else "which leaves it open"
    ahead = f"better than {said} by {worth(chosen, unit, -1)} on the rows that choose"
    return f"{ahead}, but on the final rows {by}, {verdict}"


def ranked(
    differences: Mapping[str, Difference],
    parameters: Mapping[str, int],
    *,
    unit: str = "a datum",
    seeds: int | None = None,
    in_doubt: Sequence[str] = (),
    short: Sequence[str] = (),
) -> str:
    """Return the sentence that a ranking ends in; of those that cannot be told from the best, take the smallest.

    Args:
        differences: of each candidate to the best, from best to worst.
        parameters: number of them, of each candidate.
        unit: of the nats.
        seeds: runs of each candidate; None: they say nothing of it.
        in_doubt: candidates whose estimates are in doubt.
        short: candidates whose training was short, so that more of it may change their places.
    """
    tied = [name for name, difference in differences.items() if not is_worse(difference)]
    least = min(tied, key=lambda name: parameters[name])
    differ = len({parameters[name] for name in tied}) > 1
    others = {name: difference for name, difference in differences.items() if name not in tied}
    simplest = "that with the fewest parameters, " if differ else "any of them, such as "
    said = sentence(least, tied, others, unit=unit, simplest=simplest)
    if doubtful := [name for name in in_doubt if name in tied or name == next(iter(others), None)]:
        said += f"; but the estimates of {listed(doubtful)} are in doubt"
    if short and len(differences) > 1:
        said += f"; but training was short for {'all' if len(short) == len(differences) else listed(short)}"
    if seeds == 1 and len(differences) > 1:
        said += "; one seed alone does not tell how much another would change"
    return capital(f"{said}.")
