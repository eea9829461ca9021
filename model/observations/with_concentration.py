"""Families with a location and a concentration."""

from typing import Any, ClassVar, Self

from obsvae.model.observations.base import Observation
from obsvae.model.observations.data_like import DataLike, Features
from obsvae.model.observations.measure import Measure
from obsvae.model.observations.parameters import FLOOR, make_positive
from obsvae.options import NUMBER_OR_WORD, Option


class WithConcentration(Observation):
    """A family with a location and a concentration.

    Args:
        concentration: a positive number, ``shared``, ``per-unit``, ``per-feature`` or ``decoder``.
        features: shapes of a datum and of its units.
        floor: least learned concentration as a fraction of the data's.

    Attributes:
        locations: how many outputs the location takes.
    """

    measure = Measure.LEBESGUE
    options: ClassVar[tuple[Option, ...]] = (Option("concentration", NUMBER_OR_WORD, "per-unit"), FLOOR)
    locations = 1

    def __init__(
        self,
        concentration: float | str = "per-unit",
        features: Features = Features(),
        floor: float = 1e-3,
    ) -> None:
        super().__init__()
        self.concentration = make_positive("concentration", concentration, features, floor)
        self.outputs = self.locations + self.concentration.outputs

    @classmethod
    def for_data(cls, data: DataLike | None, **options: Any) -> Self:
        """Return the family for data of this shape."""
        return cls(**options, features=Features.of(data))
