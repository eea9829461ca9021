"""When wrappers come in question."""

from collections.abc import Sequence

from obsvae.experiments.recommendation.listing.counts import zero_inflated_counts
from obsvae.experiments.recommendation.listing.proposal import ANGLES, MODES, TRANSFORMED, Proposal, is_no_number
from obsvae.experiments.recommendation.listing.variable import Variable, within

# Third standardised moment from which on a transform may help numbers of both signs.
_SKEWED = 0.5
# Levels from which on whole numbers with ends are shares rather than how many of a number.
_FEW = 100


def discretised(v: Variable) -> Sequence[Proposal] | str:
    """Return nothing of its own: each density on a coarse grid is proposed within it."""
    if v.grid is None:
        return "the values lie on no grid that is coarse against their spread: masses of its cells are densities"
    if v.is_binary or v.has_levels:
        return "levels have masses already"
    if v.is_coarse:
        return "the masses of each density on the grid are listed by their families"
    return f"the step {v.grid.step:g} is small against the spread: its masses say what the densities say"


def dequantised(v: Variable) -> Sequence[Proposal] | str:
    """Return that the exact masses take its place."""
    if v.grid is None:
        return "the values lie on no grid: there is nothing to fill with noise"
    return "a random lower bound of the masses that discretised gives exactly"


def mixture(v: Variable) -> Sequence[Proposal] | str:
    """Return two Normals, or for images on a grid five logistics with spreads from z."""
    why = is_no_number(v)
    if why or v.has_levels:
        return why or "levels have masses of their own"
    if v.look.period is not None:
        return f"{ANGLES}: several directions are mixture:inner=von-mises, which is seldom wanted beside z"
    if v.column is None and v.is_coarse:
        text = v.masses("mixture:components=5,inner=logistic,scale=decoder")
        return [Proposal(text, "several modes for each entry, as PixelCNN++ has them", MODES)]
    if v.bounds is not None and v.has_ends and v.column is not None:
        return f"goes beyond {v.bounds[0]:g} and {v.bounds[1]:g}, the ends"
    if v.is_count and v.is_coarse:
        return "counts: modes of theirs are the matter of zero-inflated and of z"
    return [Proposal(v.masses("mixture:components=2,inner=normal"), "two modes given z", MODES)]


def zero_inflated(v: Variable) -> Sequence[Proposal] | str:
    """Return a mass on 0 beside counts, or beside densities where 0 is a value of its own."""
    if v.is_count and v.bounds is None and (v.is_coarse or not v.look.share_zero):
        return zero_inflated_counts(v)
    why = is_no_number(v)
    if why or v.has_levels:
        return why or "levels have masses of their own"
    if v.look.period is not None:
        return ANGLES
    counts = zero_inflated_counts(v) if v.is_count and v.bounds is None else []
    found = [] if isinstance(counts, str) else list(counts)
    if not (v.has_spike or (v.is_count and v.bounds is None)):
        none = "no value is 0" if not v.look.share_zero else f"{100 * v.look.share_zero:.2g} % of the values are 0"
        return f"{none}: 0 is no value of its own"
    share = f"{100 * v.look.share_zero:.3g} % are exactly 0"
    if v.is_count and v.grid is not None and (v.grid.levels or _FEW) < _FEW:
        inner = {"binomial": f"how many of {v.look.high:g}"}
    elif v.bounds is not None:
        inner = {"beta": "shares", "truncated-normal": "numbers with bounds"}
    elif v.look.low >= 0:
        inner = {"log-normal": "factors", "gamma": "spread in proportion to the mean", "weibull": "waiting times"}
    else:
        inner = {"normal": "a bell", "student-t": "heavy tails"}
    for family, words in inner.items():
        text = within("zero-inflated", family)
        trained = text if family == "binomial" else v.masses(text)
        found.append(Proposal(trained, f"{share}; the others: {words}", f"zeros beside {family}"))
    if v.grid is None and "normal" not in inner:  # where no density can be ranked, it stands for squared error
        text, words = within("zero-inflated", "normal"), "identity and squared error, with σ learned"
        found.append(Proposal(text, f"{share}; the others: {words}", "zeros beside normal", is_habit=True))
    return found


def transformed(v: Variable) -> Sequence[Proposal] | str:
    """Return Yeo–Johnson before a Normal for skewed numbers of both signs: others have families of their own."""
    why = is_no_number(v)
    if why or v.has_levels:
        return why or "levels have no transform"
    if v.look.period is not None:
        return ANGLES
    if v.look.low >= 0 or v.bounds is not None:
        return "log and logit before a Normal are log-normal and logit-normal, listed by themselves"
    if abs(v.look.skew) < _SKEWED:
        return f"hardly skewed ({v.look.skew:.2g}): a transform says what its inner family says"
    text = "transformed:transform=yeo-johnson,inner=normal"
    return [Proposal(v.masses(text), f"skewed ({v.look.skew:.2g}), of both signs", TRANSFORMED)]
