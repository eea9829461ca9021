"""Densities on the values of a grid: what makes any two of them comparable."""

from typing import Self

import pyro.distributions as dist
import torch
from torch import Tensor

from model.distributions import Discretised as Distribution
from model.distributions import Lattice
from model.observations.base import Measure, MeasureMismatch, Observation
from model.observations.data_like import DataLike, GridLike
from model.observations.wrapper import Make, Wrapper, exact


class Discretised(Wrapper):
    r"""The mass of each grid cell under a density, the tails folded into the cells at the ends.

    .. math:: p(x \mid \eta) = F(x + \tfrac12 \text{step} \mid \eta) - F(x - \tfrac12 \text{step} \mid \eta)

    It has an upper bound, 1, where a density has none on a constant feature.

    Shapes: those of ``inner``; x ``(*batch, *event)`` on the grid.

    Args:
        inner: a density in data units.
        grid: with ``low``, ``step`` and ``levels``.
        start: where the cell of a value begins, in steps from it.

    Raises:
        MeasureMismatch: where the inner observation is no density.
    """

    measure = Measure.COUNTING
    equivalent = "NLL of the difference of two distribution functions"
    remedy = "data off the grid are no data of this model: round them, or take the inner density alone"

    def __init__(self, inner: Observation, grid: GridLike, start: float = -0.5) -> None:
        if inner.measure not in (Measure.LEBESGUE, Measure.MIXED):
            raise MeasureMismatch(
                f"discretised needs an inner density, but the measure of {inner.name} is {inner.measure.value}: take "
                f"{inner.name} alone"
            )
        super().__init__(inner)
        self.grid, self.start = grid, start
        self.outputs, self.units = inner.outputs, inner.units
        self.needs = f"{{x}} one of the {grid.levels} values {grid.low:g}, {grid.low + grid.step:g}, ... of its grid"

    @classmethod
    def wrap(cls, make: Make, data: DataLike | None) -> Self:
        """Return the masses of the data's grid."""
        if data is None or data.grid is None:
            raise ValueError(
                "discretised needs data on a grid, such as integers, but these declare none; take the inner density"
            )
        return cls(exact(make(data), "discretised"), data.grid)

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return the masses of the cells."""
        return Distribution(self.inner(eta), self.grid.low, self.grid.step, self.grid.levels, self.start)

    def _in_cell(self, x: Tensor) -> Tensor:
        """Return a point of each cell that is in the inner support, where there is one."""
        middle, above, below = (x + (self.start + part) * self.grid.step for part in (0.5, 0.75, 0.25))
        inside = self.inner.inside
        return torch.where(inside(middle), middle, torch.where(inside(above), above, below))

    def initialise(self, x: Tensor) -> Tensor:
        """Initialise the density from points within the cells."""
        return self.inner.initialise(self._in_cell(x))

    def inside(self, x: Tensor) -> Tensor:
        """Return whether x is on the grid, and its cell meets the inner support."""
        lattice = Lattice(self.grid.low, self.grid.step, self.grid.levels)
        return lattice.check(x) & self.inner.inside(self._in_cell(x))

    def describe(self) -> dict[str, object]:
        """Return the inner description."""
        return self.inner.describe()
