"""The base measure of a density or a mass."""

from enum import Enum

from obsvae.errors import MeasureMismatch as MeasureMismatch


class Measure(Enum):
    """The base measure of an observation's probabilities."""

    LEBESGUE = "density"
    COUNTING = "mass"
    MIXED = "density with a mass at 0"
    PRODUCT = "density or mass by column"
    NONE = "none"
