"""The base measure of a density or a mass."""

from enum import Enum

from obsvae.errors import UsageError


class Measure(Enum):
    """The base measure of an observation's probabilities."""

    LEBESGUE = "density"
    COUNTING = "mass"
    MIXED = "density with a mass at 0"
    NONE = "none"


class MeasureMismatch(UsageError):  # noqa: N818 - it names what happened
    """Raised where numbers of different measures would be compared, or a loss would be called a likelihood."""
