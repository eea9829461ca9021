"""When families of numbers between two bounds come in question."""

from collections.abc import Sequence

from obsvae.experiments.recommendation.listing.proposal import ANGLES, ORDERED, Proposal, from_z, is_no_number
from obsvae.experiments.recommendation.listing.variable import Variable

_CROSS_ENTROPY = "cross-entropy"


def continuous_bernoulli(v: Variable) -> Sequence[Proposal] | str:
    """Return the continuous Bernoulli, the density that cross-entropy on grey values lacks."""
    reason = "sigmoid and cross-entropy, with the constant that is missing there"
    # Of arrays the loss itself is tried as the habit.
    is_habit = v.column is not None
    return _why_not(v) or [Proposal(v.masses("continuous-bernoulli"), reason, _CROSS_ENTROPY, is_habit)]


def unnormalised_bernoulli(v: Variable) -> Sequence[Proposal] | str:
    """Return the loss itself where a comparison can score its decoder under a likelihood."""
    if v.is_binary or _why_not(v):
        return _why_not(v) or is_no_number(v)
    if v.column is not None:
        return (
            "sigmoid and cross-entropy on grey values is a loss that does not integrate to one: continuous-bernoulli "
            "is its density"
        )
    reason = "sigmoid and cross-entropy, scored as the continuous Bernoulli"
    return [Proposal("unnormalised-bernoulli", reason, _CROSS_ENTROPY, is_habit=True)]


def truncated_normal(v: Variable) -> Sequence[Proposal] | str:
    """Return the Normal that knows the bounds."""
    return _why_not(v) or [
        Proposal(v.masses("truncated-normal"), "squared error that knows the bounds", "truncated-normal")
    ]


def beta(v: Variable) -> Sequence[Proposal] | str:
    """Return the Beta, with one concentration and with one from z."""
    return _why_not(v) or [
        Proposal(v.masses("beta"), "shares between two bounds", "beta"),
        Proposal(v.masses("beta:concentration=decoder"), "shares, concentrated by the row", from_z("beta")),
    ]


def kumaraswamy(v: Variable) -> Sequence[Proposal] | str:
    """Return the Kumaraswamy, nearly the Beta."""
    return _why_not(v) or [Proposal(v.masses("kumaraswamy"), "shares, nearly a Beta", "beta")]


def logit_normal(v: Variable) -> Sequence[Proposal] | str:
    """Return the logit-Normal."""
    return _why_not(v) or [Proposal(v.masses("logit-normal"), "shares whose odds vary by factors", "logit-normal")]


def _why_not(v: Variable) -> str:
    if is_no_number(v) or v.has_levels:
        return is_no_number(v) or ORDERED
    if v.look.period is not None:
        return ANGLES
    if v.bounds is None:
        return (
            f"nobody has said between which bounds values from {v.look.low:g} to {v.look.high:g} lie; declare "
            "bounds = [low, high] where there are any"
        )
    return ""
