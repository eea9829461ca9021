"""What the wrappers that make masses of densities share."""

from torch import Tensor

from model.distributions import Lattice
from model.observations.base import Measure, MeasureMismatch, Observation
from model.observations.data_like import DataLike, GridLike
from model.observations.wrapper import Wrapper


class GridWrapper(Wrapper):
    """A mass on the values of a grid, from a density in data units.

    Args:
        inner: the density.
        grid: with ``low``, ``step`` and ``levels``.

    Raises:
        MeasureMismatch: where the inner observation is no density.
    """

    measure = Measure.COUNTING
    remedy = "data off the grid are no data of this model: round them, or take the inner density alone"

    def __init__(self, inner: Observation, grid: GridLike) -> None:
        inner.require_likelihood()
        if inner.measure is Measure.COUNTING:
            raise MeasureMismatch(
                f"{self.name} needs an inner density, but the measure of {inner.name} is mass: take {inner.name} alone"
            )
        super().__init__(inner)
        self.grid = grid
        self.outputs, self.units = inner.outputs, inner.units
        self.needs = f"{{x}} one of the {grid.levels} values {grid.low:g}, {grid.low + grid.step:g}, ... of its grid"

    @classmethod
    def grid_of(cls, data: DataLike | None) -> GridLike:
        """Return the grid of the data, or refuse data that have none."""
        if data is None or data.grid is None:
            name = cls.__name__.lower()
            raise ValueError(
                f"{name} needs data on a grid, such as integers, but these declare none; take the inner density"
            )
        return data.grid

    def on_lattice(self, x: Tensor) -> Tensor:
        """Return whether each entry of x is a value of the grid."""
        return Lattice(self.grid.low, self.grid.step, self.grid.levels).check(x)

    def describe(self) -> dict[str, object]:
        """Return the inner description."""
        return self.inner.describe()
