"""When families on the real line come in question."""

from collections.abc import Sequence

from obsvae.experiments.recommendation.listing.proposal import (
    ANGLES,
    BELL,
    LAPLACE,
    ORDERED,
    STUDENT_T,
    Proposal,
    from_z,
    is_no_number,
)
from obsvae.experiments.recommendation.listing.variable import Variable

_COUNTS = "counts: their tails are the matter of negative-binomial and zero-inflated"


def normal(v: Variable) -> Sequence[Proposal] | str:
    """Return the Normal: identity and squared error, which people write whatever the data are."""
    if not v.is_number:
        return is_no_number(v)
    habit = Proposal("normal", "identity and squared error, with σ learned", BELL, is_habit=True)
    if v.is_binary or v.has_levels:
        return [habit]
    decoded = Proposal(v.masses("normal:scale=decoder"), "a spread that depends on the row", from_z("normal"))
    if not v.is_coarse:
        return [habit, decoded]
    return [habit, Proposal("discretised:inner=normal", "the masses of a Normal on the grid", BELL), decoded]


def logistic(v: Variable) -> Sequence[Proposal] | str:
    """Return the logistic of arrays on a grid, whose masses are the cheapest there are."""
    why = _why_not(v)
    if why:
        return why
    if v.column is not None:
        return "a bell between normal and student-t, which say what it says"
    found = [Proposal(v.masses("logistic"), "a bell with tails a little heavier than a Normal's", BELL)]
    if v.is_coarse:
        text = v.masses("logistic:scale=decoder")
        found.append(Proposal(text, "a spread that depends on the datum", from_z("logistic")))
    return found


def laplace(v: Variable) -> Sequence[Proposal] | str:
    """Return the Laplace: identity and absolute error."""
    why = _why_not(v) or _in_bounds(v) or (_COUNTS if v.is_count and v.is_coarse else "")
    return why or [Proposal(v.masses("laplace"), "absolute error: a peak, and heavier tails", LAPLACE)]


def student_t(v: Variable) -> Sequence[Proposal] | str:
    """Return Student's t."""
    why = _why_not(v) or _in_bounds(v) or (_COUNTS if v.is_count and v.is_coarse else "")
    if why:
        return why
    return [Proposal(v.masses("student-t"), "tails as heavy as the data want; many degrees are a Normal", STUDENT_T)]


def _why_not(v: Variable) -> str:
    """Return why no symmetric density but the Normal is tried; empty where one is."""
    if v.has_levels and v.is_number and not v.is_binary:
        return ORDERED
    if v.look.period is not None:
        return f"{ANGLES}; normal stands for those that do not wrap round"
    return is_no_number(v)


def _in_bounds(v: Variable) -> str:
    """Return why tails are not tried, where they would go beyond the ends; empty where there are none."""
    if v.bounds is None or not v.has_ends:
        return ""
    return f"goes beyond {v.bounds[0]:g} and {v.bounds[1]:g}, the ends; normal stands for all that do"
