"""The sentence that a report ends in: what to take of several runs, and what a single one leaves unsaid."""

import math
from collections.abc import Sequence

from torch import nn

from obsvae.errors import UsageError
from obsvae.experiments.reporting.results import groups, named, ranking_of
from obsvae.experiments.reporting.subject import Subject
from obsvae.experiments.verdicts.sentence import ranked
from obsvae.inference import check_predictive, misfits
from obsvae.inference.checks.predictive import require_enough

# Misfits that are told of a run.
_UNSAID = 3


def verdicts(subjects: Sequence[Subject]) -> list[str]:
    """Return what to take of the runs of each table, in a sentence; of one that stands alone what it leaves unsaid."""
    said = []
    for _, _, members in groups(subjects):
        if len(members) == 1:
            said.append(_unsaid(*members.values()))
            continue
        ranking = ranking_of(members)
        if any(math.isnan(difference.mean) for difference in ranking.values()):
            continue
        names = {name: named(subject, "{} ({})") for name, subject in members.items()}
        parameters = {names[name]: _parameters(subject) for name, subject in members.items()}
        said.append(ranked({names[name]: difference for name, difference in ranking.items()}, parameters))
    return said


def _unsaid(subject: Subject) -> str:
    """Return what held-out data have that the run's model does not say, the largest first."""
    name = named(subject, "{} ({})")
    try:
        check = check_predictive(subject.model, subject.x, seed=subject.seed, c=subject.c)
        require_enough(check)
    except UsageError as error:
        return f"What {name} leaves unsaid is not known: {error}."
    found = misfits(check, subject.run.data.columns)
    if not found:
        return f"{name} leaves nothing unsaid that {len(subject.x)} held-out data could tell."
    return f"{name} leaves unsaid: {'; '.join(map(str, found[:_UNSAID]))}{_and_more(len(found) - _UNSAID)}."


def _and_more(number: int) -> str:
    return f"; and {number} more" if number > 0 else ""


def _parameters(subject: Subject) -> int:
    return sum(p.numel() for p in nn.ModuleList([subject.run.model, subject.run.guide]).parameters())
