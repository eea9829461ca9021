"""Likelihoods in the place of a loss that is none."""

from dataclasses import dataclass

from obsvae.model.observations.base import Observation


@dataclass(frozen=True)
class Correction:
    """A likelihood that the decoder of an unnormalised loss may be scored under.

    Attributes:
        name: how the decoder's output is taken.
        observation: the likelihood.
        is_preferred: whether it is the one to show where there is room for one.
    """

    name: str
    observation: Observation
    is_preferred: bool = False
