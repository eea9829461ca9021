"""Wrappers that make a mass on a grid of a density."""

from abc import abstractmethod

from torch import Tensor

from obsvae.errors import UsageError
from obsvae.model import exact
from obsvae.model.observations.base import Observation
from obsvae.model.observations.data_like import DataLike, GridLike
from obsvae.model.observations.measure import Measure, MeasureMismatch
from obsvae.model.observations.support import Support
from obsvae.model.observations.wrappers.wrapper import Wrapper


class GridWrapper(Wrapper):
    """A mass on the values of a grid, from a density in data units.

    Args:
        inner: the density.
        grid: with ``low``, ``step`` and ``levels``.

    Raises:
        MeasureMismatch: where the inner observation is no density.
    """

    measure = Measure.COUNTING

    def __init__(self, inner: Observation, grid: GridLike) -> None:
        inner.require_likelihood()
        if inner.measure is Measure.COUNTING:
            raise MeasureMismatch(
                f"{self.name} needs an inner density, but the measure of {inner.name} is mass: take {inner.name} alone"
            )
        super().__init__(inner)
        self.grid = grid
        values = "values" if grid.levels is None else f"{grid.levels} values"
        self.outputs = inner.outputs
        self.support = Support(
            f"{{x}} one of the {values} {grid.low:g}, {grid.low + grid.step:g}, ... of its grid",
            self._contains,
            inner.support.units,
            "round data that lie off the grid, or take the inner density alone",
        )

    @classmethod
    def grid_of(cls, data: DataLike | None) -> GridLike:
        """Return the grid of the data, or refuse data that have none."""
        if data is None or data.grid is None:
            raise UsageError(
                f"{cls.__name__.lower()} needs data on a grid, such as integers, but these declare none; declare "
                "what they lie on (grid=(low, step, levels)), or take the inner density"
            )
        return data.grid

    @abstractmethod
    def _contains(self, x: Tensor) -> Tensor:
        """Return whether x is on the grid, and its cell in the inner support."""

    def on_lattice(self, x: Tensor) -> Tensor:
        """Return whether each entry of x is a value of the grid."""
        return exact.Lattice(self.grid.low, self.grid.step, self.grid.levels).check(x)

    def exposure(self, eta: Tensor) -> Tensor:
        """Return that of the density."""
        return self.inner.exposure(eta)

    def describe(self) -> dict[str, object]:
        """Return the inner description."""
        return self.inner.describe()
