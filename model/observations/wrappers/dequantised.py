"""Densities trained on the values of a grid through uniform noise."""

from typing import Self

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.model import exact
from obsvae.model.observations.base import Cells, Observation
from obsvae.model.observations.data_like import DataLike, GridLike, View
from obsvae.model.observations.measure import Measure, MeasureMismatch
from obsvae.model.observations.wrappers.grid_wrapper import GridWrapper
from obsvae.model.observations.wrappers.wrapper import Make, require_exact


class Dequantised(GridWrapper):
    r"""A density of x + step · u with u uniform on [0, 1): a lower bound of the mass of the cell [x, x + step).

    .. math:: \log p(x \mid \eta) \ge \mathbb{E}_u[\log p_\text{inner}(x + \text{step} \cdot u \mid \eta)]
              + \log \text{step}

    Every evaluation draws its own noise, so that training sees fresh noise and an importance-weighted likelihood
    averages over it: it is a bound too, tighter with more particles. The exact mass is that of ``on_grid``.

    Shapes: those of ``inner``; x ``(*batch, *event)`` on the grid.

    Args:
        inner: a density over [low, high + step].
        grid: with ``low``, ``step`` and ``levels``.

    Raises:
        MeasureMismatch: where the inner observation is no density.
    """

    is_bound = True
    equivalent = "as of the inner family, on data with uniform noise"

    def __init__(self, inner: Observation, grid: GridLike) -> None:
        if inner.measure is Measure.MIXED:
            raise MeasureMismatch(
                f"dequantised needs an inner density, but {inner.name} has a mass at 0, too: take discretised"
            )
        super().__init__(inner, grid)

    @classmethod
    def wrap(cls, make: Make, data: DataLike | None) -> Self:
        """Return a density over the data's cells, whose bounds are those of the data and one step more."""
        grid = cls.grid_of(data)
        assert data is not None
        bounds = None if data.bounds is None else (data.bounds[0], data.bounds[1] + grid.step)
        # Only a mass looks at the grid, which lets it be made, and be refused for what it is.
        inner = make(View(data.event_shape, data.unit_shape, bounds=bounds, grid=grid, scaling=data.scaling))
        return cls(require_exact(inner, "dequantised"), grid)

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return the density as seen through the noise."""
        return exact.Dequantised(self.inner(eta), self.grid.low, self.grid.step, self.grid.levels)

    def mean(self, eta: Tensor) -> Tensor:
        """Return the inner mean less half a step."""
        return self.inner.mean(eta) - 0.5 * self.grid.step

    def with_masses(self, cells: Cells) -> Observation:
        """Return the masses under the density: the cell of x is [x, x + step)."""
        return cells.under(self.inner, 0.0)

    def _noisy(self, x: Tensor) -> Tensor:
        # Evenly spread within the cells rather than drawn: a start needs no seed.
        steps = torch.arange(len(x), dtype=x.dtype, device=x.device).reshape(-1, *(1 for _ in x.shape[1:]))
        return x + self.grid.step * (0.01 + 0.98 * torch.frac(0.5 + 0.6180339887 * steps))

    def initialise(self, x: Tensor) -> Tensor:
        """Initialise the density from data spread within their cells."""
        return self.inner.initialise(self._noisy(x))

    def _contains(self, x: Tensor) -> Tensor:
        middle = x + 0.5 * self.grid.step
        return self.on_lattice(x) & self.inner.support.contains(middle)
