"""When families of positive numbers come in question."""

from collections.abc import Sequence

from obsvae.experiments.recommendation.listing.proposal import ANGLES, ORDERED, Proposal, from_z, is_no_number
from obsvae.experiments.recommendation.listing.variable import Variable

# Greatest of whole numbers that are few.
_FEW = 20


def log_normal(v: Variable) -> Sequence[Proposal] | str:
    """Return the log-normal, with one spread of the logarithms and with one from z."""
    return _why_not(v) or [
        Proposal(v.masses("log-normal"), "positive: factors rather than differences", "log-normal"),
        Proposal(v.masses("log-normal:scale=decoder"), "factors, spread by the row", from_z("log-normal")),
    ]


def gamma(v: Variable) -> Sequence[Proposal] | str:
    """Return the gamma."""
    return _why_not(v) or [Proposal(v.masses("gamma"), "positive: spread in proportion to the mean", "gamma")]


def weibull(v: Variable) -> Sequence[Proposal] | str:
    """Return the Weibull."""
    return _why_not(v) or [Proposal(v.masses("weibull"), "positive: waiting times, wear", "gamma")]


def _why_not(v: Variable) -> str:
    if is_no_number(v) or v.has_levels:
        return is_no_number(v) or ORDERED
    if v.look.period is not None:
        return ANGLES
    if v.bounds is not None and v.has_ends:
        return f"goes beyond {v.bounds[1]:g}, the greatest value that is possible"
    if v.look.low < 0:
        return f"positive numbers alone, but the least is {v.look.low:g}"
    if v.is_count and v.look.high <= _FEW:
        return "a few whole numbers: binomial and ordinal are for these"
    if v.is_count and v.look.low == 0:
        return "counts: poisson and negative-binomial are this for whole numbers from 0"
    return ""
