"""Which observations come in question for each column of a table, or for an array as a whole, and why others do not."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from torch import nn

from obsvae.data import Dataset
from obsvae.data.inspection.look import Look
from obsvae.data.inspection.looking import look_at
from obsvae.data.tables.schemas.families import innermost
from obsvae.errors import UsageError
from obsvae.experiments.comparison.acceptance import require_comparable
from obsvae.experiments.recommendation.listing.proposal import Proposal
from obsvae.experiments.recommendation.listing.rules import RULES
from obsvae.experiments.recommendation.listing.variable import Variable
from obsvae.experiments.recommendation.question import Candidate, Question, Refusal
from obsvae.model import OBSERVATIONS, WRAPPERS, Measure, Observation, make_observation
from obsvae.names import lookup

# What an output of the decoder, and a learned parameter, add to the complexity.
OUTPUT, PARAMETER = 1000, 100
_OWN = "a family of your own"


def questions(data: Dataset, columns: Sequence[str] | None = None) -> tuple[Question, ...]:
    """Return, for each column of a table or for an array as a whole, which observations come in question.

    Args:
        data: the data, of all splits.
        columns: the names of those that are asked for; None: all.

    Raises:
        UsageError: for a column that the table lacks or that is asked for twice, or an array of which columns are asked
            for.
    """
    looks = look_at(data)
    if data.columns is None:
        if columns is not None:
            raise UsageError("columns go with a table, but the data are an array: leave them out")
        return (question_of(Variable.of_array(data, looks[0])),)
    if twice := [name for name, number in Counter(columns or ()).items() if number > 1]:
        raise UsageError(f"columns need to be asked for once each, but {twice[0]!r} is there more often; name it once")
    places = {column.name: d for d, column in enumerate(data.columns)}
    asked = [lookup("column", name, places) for name in columns or places]
    return tuple(question_of(Variable.of_column(data, d, _named(looks, data.columns[d].name))) for d in asked)


def on_their_grids(data: Dataset, asked: Sequence[Question]) -> Dataset:
    """Return the data with the grids by whose cells the answers are ranked, on which the candidates can be made.

    A schema that is to make them has to declare these grids, too.
    """
    grids = {question.name: question.grid for question in asked}
    if data.columns is None:
        return replace(data, grid=asked[0].grid)
    columns = tuple(replace(one, grid=grids.get(one.name, one.grid)) for one in data.columns)
    return replace(data, columns=columns)


def question_of(v: Variable) -> Question:
    """Return what comes in question for a variable, and what does not."""
    candidates, refused, measures = list[Candidate](), list[Refusal](), dict[str, Measure]()
    for name in OBSERVATIONS | WRAPPERS:
        said = RULES[name](v) if name in RULES else [Proposal(name, _OWN, name)]
        if isinstance(said, str):
            refused.append(Refusal(name, _value_outside(name, v) or said))
            continue
        for proposal in said:
            made, why = refusal(proposal.observation, v)
            if made is not None:
                measures[proposal.observation] = made.measure
                candidates.append(
                    Candidate(
                        proposal.observation,
                        proposal.reason,
                        proposal.group,
                        _complexity(made, proposal.observation, v),
                        proposal.is_habit,
                        is_likelihood=made.measure is not Measure.NONE,
                    )
                )
            elif why not in {one.why for one in refused}:  # the same family with another spread
                refused.append(Refusal(proposal.observation, why))
    kept, without = _of_one_measure(v, candidates, measures)
    return Question(
        v.look.name, v.look, tuple(sorted(kept, key=lambda one: one.complexity)), (*refused, *without), v.grid
    )


def refusal(text: str, v: Variable) -> tuple[Observation | None, str]:
    """Return an observation of a variable, or None and why it cannot be trained and compared, in a line."""
    try:
        made = make_observation(text, v.data)
        require_comparable(made, v.telling)
    except UsageError as error:
        # What follows is the remedy, for whoever wants this family and no other.
        why = str(error).partition("; ")[0]
        for before in (": ", " as "):
            why = why.removeprefix(f"column {v.look.name!r}{before}")
        return None, why
    return made, ""


def _value_outside(name: str, v: Variable) -> str:
    """Return the value that a family cannot take, which says more than a rule; empty where it can take all.

    Of codes, of angles and between bounds a family would be in units of its own, in which its values mean nothing.
    """
    if name not in OBSERVATIONS or v.has_levels or v.look.period is not None or v.bounds is not None:
        return ""
    why = refusal(name, v)[1]
    return why if "but found" in why else ""


def _of_one_measure(
    v: Variable, candidates: Sequence[Candidate], measures: dict[str, Measure]
) -> tuple[list[Candidate], list[Refusal]]:
    """Return the candidates that can be ranked against one another, and the refusals of the others.

    Without a grid a density cannot be ranked against one with a mass on 0, which is without end better at 0.
    """
    if v.grid is not None or Measure.MIXED not in measures.values():
        return list(candidates), []
    share = f"{100 * v.look.share_zero:.3g} % of the values are exactly 0, to which a density gives no mass"
    why = f"{share}: against one that does it cannot be ranked"
    kept = [one for one in candidates if measures[one.observation] is Measure.MIXED]
    return kept, [Refusal(one.observation, why) for one in candidates if one not in kept]


def _complexity(made: Observation, text: str, v: Variable) -> int:
    """Return the outputs and the learned parameters of a feature, and among equals the place of the family."""
    units = math.prod(v.data.unit_shape)
    parameters = sum(math.ceil(p.numel() / units) for p in nn.ModuleList([made]).parameters())
    family = innermost(text)
    place = 2 * (list(RULES).index(family) if family in RULES else len(RULES)) + (text.partition(":")[0] != family)
    return OUTPUT * made.outputs + PARAMETER * parameters + place


def _named(looks: Sequence[Look], name: str) -> Look:
    return next(look for look in looks if look.name == name)
