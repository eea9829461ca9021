"""Observations made of other observations."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Self

from torch import nn

from model.observations.base import Observation
from model.observations.data_like import DataLike

# From a view of the data to a new inner observation in their units.
Make = Callable[[DataLike | None], Observation]


class Wrapper(Observation):
    """An observation that a text makes of an inner one, such as ``mixture:components=5,inner=logistic``.

    The keyword arguments of :meth:`wrap` are its options.

    Args:
        inner: what it wraps.
    """

    def __init__(self, *inner: Observation) -> None:
        super().__init__()
        # In a plain list, where Pyro does not look: it refuses a part that has run within another model, and a trained
        # observation is scored both as it is and on a grid.
        self._inner = nn.ModuleList(inner)

    @property
    def inner(self) -> Observation:
        """What it wraps, or the first of several."""
        return self._inner[0]  # type: ignore[return-value]

    @classmethod
    @abstractmethod
    def wrap(cls, make: Make, data: DataLike | None) -> Self:
        """Return the wrapper of what ``make`` returns for the data, or for a view of them.

        Raises:
            ValueError: where the inner observation or the data are not of the kind that it wraps.
        """


def exact(inner: Observation, wrapper: str) -> Observation:
    """Return the inner observation, or refuse one that is not scored by its own log-probability.

    Raises:
        ValueError: where training maximises a profile likelihood, or where the log-probability is a random bound.
    """
    if inner.is_profile:
        raise ValueError(
            f"{wrapper} needs an inner density that is the same in training and evaluation, but {inner.name} with "
            "scale=optimal is not; take scale=shared"
        )
    if inner.is_bound:
        raise ValueError(
            f"{wrapper} needs an inner density or mass that is exact, but {inner.name} is a random bound of one; take "
            "discretised, the exact mass, in its place"
        )
    return inner
