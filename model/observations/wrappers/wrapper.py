"""Observations made of other observations."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Self, cast

from torch import nn

from obsvae.errors import UsageError
from obsvae.model.observations.base import Observation
from obsvae.model.observations.data_like import DataLike

# From a view of the data to a new inner observation in their units.
Make = Callable[[DataLike | None], Observation]


class Compound(Observation):
    """An observation made of others.

    Args:
        inner: what it is made of.
    """

    def __init__(self, *inner: Observation) -> None:
        super().__init__()
        # In a plain list, where Pyro does not look: it refuses a part that has run within another model, and a trained
        # observation is scored both as it is and on a grid.
        self._inner = nn.ModuleList(inner)

    @property
    def parts(self) -> list[Observation]:
        """What it is made of."""
        return [cast(Observation, part) for part in self._inner]


class Wrapper(Compound):
    """An observation that a text makes of an inner one, such as ``mixture:components=5,inner=logistic``.

    Its options are the keyword arguments of :meth:`wrap`.

    Args:
        inner: what it wraps.

    Attributes:
        is_in_data_units: whether it is in data units where its inner observation is.
    """

    is_in_data_units: bool = True

    @property
    def inner(self) -> Observation:
        """What it wraps, or the first of several."""
        return self.parts[0]

    @classmethod
    @abstractmethod
    def wrap(cls, make: Make, data: DataLike | None) -> Self:
        """Return the wrapper of what ``make`` returns for the data, or for a view of them.

        Raises:
            UsageError: where the inner observation or the data are not of the kind that it wraps.
        """


def require_exact(inner: Observation, wrapper: str) -> Observation:
    """Return the inner observation, or refuse one that is not scored by its own log-probability.

    Raises:
        UsageError: where training maximises a profile likelihood, or where the log-probability is a random bound.
    """
    if inner.is_profile:
        raise UsageError(
            f"{wrapper} needs an inner density that is the same in training and evaluation, but {inner.name} with "
            "scale=optimal is not; take scale=shared"
        )
    if inner.is_bound:
        raise UsageError(
            f"{wrapper} needs an inner density or mass that is exact, but {inner.name} is a random bound of one; take "
            "discretised, the exact mass, in its place"
        )
    return inner
