"""Densities on the values of a grid: what makes any two of them comparable."""

from typing import Self

import pyro.distributions as dist
import torch
from torch import Tensor

from model.distributions import Discretised as Distribution
from model.observations.base import Observation
from model.observations.data_like import DataLike, GridLike
from model.observations.grid_wrapper import GridWrapper
from model.observations.wrapper import Make, exact


class Discretised(GridWrapper):
    r"""The mass of each grid cell under a density, the tails folded into the cells at the ends.

    .. math:: p(x \mid \eta) = F(x + \tfrac12 \text{step} \mid \eta) - F(x - \tfrac12 \text{step} \mid \eta)

    It has an upper bound, 1, where a density has none on a constant feature. The cells of angles go round and have no
    tails.

    Shapes: those of ``inner``; x ``(*batch, *event)`` on the grid.

    Args:
        inner: a density in data units.
        grid: with ``low``, ``step`` and ``levels``.
        start: where the cell of a value begins, in steps from it.

    Raises:
        MeasureMismatch: where the inner observation is no density.
        ValueError: for angles on a grid that is not one turn.
    """

    equivalent = "NLL of the difference of two distribution functions"

    def __init__(self, inner: Observation, grid: GridLike, start: float = -0.5) -> None:
        super().__init__(inner, grid)
        self.start = start
        whole = grid.levels * grid.step
        if inner.turn is not None and abs(whole - inner.turn) > 1e-4 * inner.turn:
            raise ValueError(
                f"the grid of {inner.name} has to go once round, but {grid.levels} values {grid.step:g} apart make "
                f"{whole:g}, and a turn is {inner.turn:g}; declare bounds that are {whole:g} apart (--bounds LOW HIGH)"
            )

    @classmethod
    def wrap(cls, make: Make, data: DataLike | None) -> Self:
        """Return the masses of the data's grid."""
        grid = cls.grid_of(data)
        return cls(exact(make(data), "discretised"), grid)

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return the masses of the cells."""
        grid, is_folded = self.grid, self.inner.turn is None
        return Distribution(self.inner(eta), grid.low, grid.step, grid.levels, self.start, is_folded)

    def mean(self, eta: Tensor) -> Tensor:
        """Return E[x]; of angles, which have none, what the inner observation calls so."""
        return super().mean(eta) if self.inner.turn is None else self.inner.mean(eta)

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
        return self.on_lattice(x) & self.inner.inside(self._in_cell(x))
