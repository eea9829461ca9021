"""When families of levels come in question."""

from collections.abc import Sequence

from obsvae.experiments.recommendation.listing.proposal import Proposal
from obsvae.experiments.recommendation.listing.variable import Variable

# Outputs of a categorical at most: of images for each pixel, of whole numbers for each of a few values.
_IMAGE_LEVELS, _FEW = 256, 20
# Values for each level, at least, for numbers to be tried as levels.
_ENOUGH = 20
_TWO = "of two levels it says what bernoulli says"


def bernoulli(v: Variable) -> Sequence[Proposal] | str:
    """Return the Bernoulli: sigmoid and cross-entropy, where these are a likelihood."""
    if not v.is_binary:
        return f"{v.look.distinct} distinct values, and not two"
    return [Proposal("bernoulli", "two values: sigmoid and cross-entropy", "bernoulli", is_habit=True)]


def categorical(v: Variable) -> Sequence[Proposal] | str:
    """Return the categorical: softmax and cross-entropy."""
    if v.is_binary:
        return _TWO
    if v.has_levels:
        return [Proposal("categorical", f"{v.look.levels} levels: softmax and cross-entropy", "levels")]
    options = _as_levels(v)
    if not isinstance(options, str):
        return [Proposal(f"categorical{options[0]}", f"any masses on {options[1]} values", "levels")]
    return options


def ordinal(v: Variable) -> Sequence[Proposal] | str:
    """Return cumulative logits."""
    if v.is_binary:
        return _TWO
    if v.has_levels and not v.has_order:
        assert v.column is not None
        first = (v.column.levels or ("",))[0]
        return (
            f"nobody has said that the levels ({first!r} and others) have an order; where they have, declare "
            'observation = "ordinal" with levels in their order'
        )
    if v.has_levels:
        return [Proposal("ordinal", f"{v.look.levels} levels with an order", "ordered levels")]
    options = _as_levels(v)
    if not isinstance(options, str):
        return [Proposal(f"ordinal{options[0]}", f"{options[1]} values with an order", "ordered levels")]
    return options


def _as_levels(v: Variable) -> tuple[str, int] | str:
    """Return the options with which numbers are levels and how many there are, or why they are none."""
    if v.look.low < 0 and v.column is not None:
        return f"numbers from {v.look.low:g}, and not levels 0, 1, …"
    if not v.look.is_whole or v.grid is None:
        return "real numbers, and not a few levels"
    has_ends = v.grid.levels is not None
    count = v.grid.levels if v.grid.levels is not None else round(v.look.high) + 1
    most = _FEW if v.column is not None else _IMAGE_LEVELS
    if count > most:
        return f"{count} possible values would need as many outputs or cutpoints: at most {most} are tried"
    if v.look.present < _ENOUGH * count:
        return f"{v.look.present} values for {count} levels: too few to learn the mass of each"
    return ("" if has_ends else f":categories={count}"), count
