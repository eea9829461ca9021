"""What a rule says of a family: observations to try, or why there is none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from obsvae.experiments.recommendation.listing.variable import Variable


@dataclass(frozen=True)
class Proposal:
    """An observation to try, if the data are in its support.

    Attributes:
        observation: as a text.
        reason: why, in a few words.
        group: of observations that say nearly the same of one variable.
        is_habit: whether people write it whatever the data are.
    """

    observation: str
    reason: str
    group: str
    is_habit: bool = False


# From a variable to what is to be tried of a family, or why nothing is.
Rule = Callable[[Variable], Sequence[Proposal] | str]

CODES = "the numbers are codes of levels, whose sums and differences mean nothing"
BINARY = "bernoulli says all that there is to say of two values"
ORDERED = "levels with an order: ordinal puts no distances between them"
ANGLES = "angles have neither a first value nor a last"


def is_no_number(v: Variable) -> str:
    """Return why no family of numbers comes in question; empty where one may."""
    if not v.is_number:
        return CODES
    return BINARY if v.is_binary else ""


# Groups of one symmetric shape, beside a spread from z, which looks like heavy tails and modes to who knows no z.
BELL, LAPLACE, STUDENT_T, TRANSFORMED, MODES = "bell-shaped", "laplace", "student-t", "transformed", "several modes"


def from_z(text: str) -> str:
    """Return the group of an observation whose spread depends on z: its heavy tails and modes may be that alone."""
    return f"{text} with a spread from z"
