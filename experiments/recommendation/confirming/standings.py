"""How far candidates have come, and which go no further."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from obsvae.experiments.jobs.job import read_result
from obsvae.experiments.recommendation.confirming.differences import Scores
from obsvae.experiments.recommendation.confirming.scores import collect, leaders_of
from obsvae.experiments.recommendation.confirming.trial import Trial
from obsvae.experiments.verdicts.rules import is_worse
from obsvae.inference import Difference

# Standard errors behind the best beyond which a candidate goes no further: few of many are dropped by chance.
BEHIND = 3.0
# What the trial is called in which no column is swapped.
LEADERS = "leaders"
AT_ONCE = "when all columns were tried at once"


@dataclass
class Standing:
    """How far the candidates of a question have come.

    Attributes:
        name: of the question.
        alive: the texts of those that are not dropped.
        leader: the best so far.
        dropped: why the others went no further.
    """

    name: str
    alive: list[str]
    leader: str
    dropped: dict[str, str] = field(default_factory=dict)

    def drop(self, one: str, why: str) -> None:
        """Let a candidate go no further."""
        self.alive.remove(one)
        self.dropped[one] = why


def drop_behind(standings: Mapping[str, Standing], behind: Mapping[str, Mapping[str, Difference]], how: str) -> None:
    """Drop what is behind the best by more than chance, but for what leads: trials to come may be held against it.

    Args:
        standings: which are changed.
        behind: by how much, on validation rows, by question and candidate.
        how: that was found, for the reason that is kept.
    """
    for name, found in behind.items():
        standing = standings[name]
        for one, difference in found.items():
            if one in standing.alive and one != standing.leader:
                standing.drop(one, f"behind: {_behind(difference, how)}")


def order_by(standings: Mapping[str, Standing], found: Mapping[str, Mapping[str, Difference]]) -> None:
    """Put what is nearest to the best first: where time runs out it has been tried."""
    for name, differences_of in found.items():
        standings[name].alive.sort(key=lambda one: -differences_of[one].mean if one in differences_of else 0.0)


def drop_untried(
    standings: Mapping[str, Standing], first: Mapping[str, Mapping[str, Difference]], second: Mapping[str, Scores]
) -> None:
    """Drop what there was no time for in the second rung, where the first has shown it to be worse."""
    for name, found in first.items():
        for one in [*standings[name].alive]:
            if one in found and one not in second.get(name, {}) and is_worse(found[one]):
                standings[name].drop(one, f"behind: {_behind(found[one], AT_ONCE)}, and no time was left for more")


def drop_failed(standings: Mapping[str, Standing], trials: Sequence[Trial]) -> None:
    """Drop candidates that could not be trained, or diverged.

    Where the leaders fail together, the column is at fault that another candidate saves, and no other.
    """
    results = {one: read_result(one.out) or {} for one in trials}
    leaders = {one.training["seed"]: one for one in trials if one.called == LEADERS}
    is_array = len(standings) == 1
    has_any = any("seconds" in result for result in results.values())
    for one, result in results.items():
        standing, beside = standings[one.scored[0]], leaders[one.training["seed"]]
        text, leader = (which.families[standing.name] for which in (one, beside))
        if one is beside or text not in standing.alive:
            continue
        if "message" in result and ("seconds" in results[beside] or (is_array and has_any)):
            standing.drop(text, _why(result))
        elif "seconds" in result and "message" in results[beside] and leader in standing.alive:
            standing.drop(leader, _why(results[beside]))
    lost = {name: one for name, one in standings.items() if one.leader not in one.alive}
    best = leaders_of({name: one.alive for name, one in lost.items()}, collect(trials, "validation"), {})
    for name, standing in lost.items():
        standing.leader = best.get(name, standing.alive[0])


def _behind(difference: Difference, how: str) -> str:
    return f"{-difference.mean:.3g} ± {difference.standard_error:.2g} nats per datum below the best {how}"


def _why(result: Mapping[str, Any]) -> str:
    return f"{'diverged' if result.get('has_diverged') else 'failed'}: {result['message']}"
