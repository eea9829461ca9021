"""Families with one shape parameter, a concentration."""

from model.observations.base import Measure, Observation
from model.observations.parameters import make_positive


class WithConcentration(Observation):
    """What families with a location and a concentration share.

    Args:
        concentration: a positive number, ``shared``, ``per-feature`` or ``decoder``.
        event_shape: shape of one datum; needed for ``per-feature``.
        floor: least learned concentration as a fraction of the data's.

    Attributes:
        locations: how many outputs the location takes.
    """

    measure = Measure.LEBESGUE
    locations = 1

    def __init__(
        self,
        concentration: float | str = "shared",
        event_shape: tuple[int, ...] | None = None,
        floor: float = 1e-3,
    ) -> None:
        super().__init__()
        self.concentration = make_positive("concentration", concentration, event_shape, floor)
        self.outputs = self.locations + self.concentration.outputs
