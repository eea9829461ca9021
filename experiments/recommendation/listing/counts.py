"""When families of counts come in question."""

import math
from collections.abc import Sequence

from obsvae.experiments.recommendation.listing.proposal import ANGLES, Proposal, from_z, is_no_number
from obsvae.experiments.recommendation.listing.variable import Variable

# Standard errors by which an index of dispersion has to be below 1 for no count to have it.
_ERRORS = 4.0
# Share of the values at the greatest one from which on that may be an end.
_AT_END = 0.005
# Greatest value that is taken for an end where nobody says, and the share of it that the least may be.
_MOST, _LEAST = 100, 0.75
# Whole numbers that begin later than counts do, and are larger in the mean, are amounts.
_FIRST, _LARGE = 2, 30
# Share of zeros below which there is nothing to inflate.
_FEW_ZEROS = 0.02


def poisson(v: Variable) -> Sequence[Proposal] | str:
    """Return the Poisson."""
    return _why_not(v) or [Proposal("poisson", "counts without an upper end", "poisson")]


def negative_binomial(v: Variable) -> Sequence[Proposal] | str:
    """Return the negative binomial, with one dispersion and with one from z."""
    return _why_not(v) or [
        Proposal("negative-binomial", "counts that vary more than a Poisson's", "negative-binomial"),
        Proposal(
            "negative-binomial:dispersion=decoder",
            "counts that vary more than a Poisson's, some rows more than others",
            from_z("negative-binomial"),
        ),
    ]


def binomial(v: Variable) -> Sequence[Proposal] | str:
    """Return the binomial: up to the declared end, or else to the greatest value where many are at it."""
    if is_no_number(v) or v.has_levels:
        return is_no_number(v) or "levels with an order, and not how many of a number"
    if not v.is_count:
        return _no_count(v)
    if v.grid is not None and v.grid.levels is not None and v.has_ends:
        return [Proposal("binomial", f"how many of {v.grid.levels - 1}, the declared end", "binomial")]
    at_end = v.look.share_high >= _AT_END or _below_poisson(v)
    if v.look.low > _LEAST * v.look.high:
        return f"whole numbers from {v.look.low:g} to {v.look.high:g}: not how many of a number"
    if not at_end or v.look.high > _MOST:
        share = f"{100 * v.look.share_high:.2g} % of the values are {v.look.high:g}"
        return f"nothing says that there is an end: {share}, the greatest; declare bounds = [0, n] where there is"
    text = f"binomial:n={v.look.high:.0f}"
    return [Proposal(text, f"how many of {v.look.high:g}, the greatest value", "binomial")]


def zero_inflated_counts(v: Variable) -> Sequence[Proposal] | str:
    """Return counts with zeros of two kinds, where zeros are more frequent than one family makes them."""
    why = _why_not(v)
    if why:
        return why
    look = v.look
    if look.share_zero < _FEW_ZEROS:
        return f"{100 * look.share_zero:.2g} % of the counts are 0: there is nothing to inflate"
    # Whatever z says, P(0) = E[π + (1 − π) exp(−λ)] ≥ exp(−E[x]) by Jensen's inequality, and π > 0 makes it greater.
    least = math.exp(-look.mean)
    if look.share_zero < least - _ERRORS * math.sqrt(least * (1 - least) / look.present):
        return (
            f"{100 * look.share_zero:.2g} % of the counts are 0, fewer than a Poisson's of their mean "
            f"({100 * least:.2g} %)"
        )
    zeros = f"{100 * look.share_zero:.2g} % are 0"
    return [
        Proposal("zero-inflated:inner=poisson", f"counts, and zeros of another kind ({zeros})", "extra zeros"),
        Proposal(
            "zero-inflated:inner=negative-binomial",
            f"counts that vary more than a Poisson's, and zeros of another kind ({zeros})",
            "extra zeros",
        ),
    ]


def _why_not(v: Variable) -> str:
    """Return why no count without an upper end comes in question; empty where one does."""
    if is_no_number(v) or v.has_levels:
        return is_no_number(v) or "levels with an order, and not counts"
    if not v.is_count:
        return _no_count(v)
    if v.bounds is not None and v.has_ends:
        return f"goes beyond {v.bounds[1]:g}, the greatest value that is possible"
    if v.look.low > _FIRST and v.look.mean > _LARGE:
        return f"whole numbers from {v.look.low:g}, {v.look.mean:.3g} in the mean: amounts rather than counts"
    # E[Var(x | z)] = E[λ] for a Poisson and more for others, so that Var x ≥ E x whatever z says.
    if _below_poisson(v):
        return (
            f"the variance is {v.look.dispersion:.2g} of the mean: below that of any Poisson or negative binomial, "
            "whatever z says"
        )
    return ""


def _below_poisson(v: Variable) -> bool:
    noise = math.sqrt(2 / max(1, v.look.present))
    return v.look.dispersion is not None and v.look.dispersion < 1 - _ERRORS * noise


def _no_count(v: Variable) -> str:
    if v.look.period is not None:
        return ANGLES
    return "no whole numbers" if not v.look.is_whole else f"whole numbers from {v.look.low:g}, and not from 0"
