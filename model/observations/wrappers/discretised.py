"""Densities as masses on the values of a grid, which compare with one another."""

import math
from dataclasses import dataclass, replace
from itertools import chain
from typing import Self

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.local import unnoticed
from obsvae.model import exact
from obsvae.model.observations.base import Observation
from obsvae.model.observations.data_like import DataLike, GridLike
from obsvae.model.observations.wrappers.grid_wrapper import GridWrapper
from obsvae.model.observations.wrappers.wrapper import Make, require_exact
from obsvae.modes import seeded

# Draws around which the mass is held against the density: how many, the mass that their intervals should have, and how
# far off it may be in nats.
_DRAWS, _MASS, _OFF = 15, 1e-4, 0.05


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
        UsageError: where the mass of an interval under the inner density is not known, or for angles whose period is
            not a whole number of steps.
    """

    equivalent = "NLL of each grid cell, a difference of two values of the distribution function"

    def __init__(self, inner: Observation, grid: GridLike, start: float = -0.5) -> None:
        super().__init__(inner, grid if inner.period is None else _once_round(inner, grid))
        self.start = start
        self._require_interval_mass()
        if inner.period is not None:
            low, period = self.grid.low, inner.period
            self.support = replace(
                self.support,
                remedy=f"angles repeat after {period:g}: store {low:g} + (x - {low:g}) % {period:g} in the place of x; "
                f"or, where {low:g} and {low + period:g} are not the same angle, declare the bounds of one whole turn",
            )

    @classmethod
    def wrap(cls, make: Make, data: DataLike | None) -> Self:
        """Return the masses of the data's grid."""
        grid = cls.grid_of(data)
        return cls(require_exact(make(data), "discretised"), grid)

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return the masses of the cells."""
        grid, is_folded = self.grid, self.inner.period is None
        return exact.Discretised(self.inner(eta), grid.low, grid.step, grid.levels, self.start, is_folded)

    def mean(self, eta: Tensor) -> Tensor:
        """Return E[x]; for angles, which have no mean, the inner observation's mean direction.

        On a lattice without ends that of the middle of x's cell, to within half a step.
        """
        if self.inner.period is not None:
            return self.inner.mean(eta)
        if self.grid.levels is None:
            return self.inner.mean(eta) - (self.start + 0.5) * self.grid.step
        return super().mean(eta)

    def _in_cell(self, x: Tensor) -> Tensor:
        """Return a point of each cell that is in the inner support, where there is one."""
        middle, above, below = (x + (self.start + part) * self.grid.step for part in (0.5, 0.75, 0.25))
        inside = self.inner.support.contains
        return torch.where(inside(middle), middle, torch.where(inside(above), above, below))

    def initialise(self, x: Tensor) -> Tensor:
        """Initialise the density from points within the cells."""
        return self.inner.initialise(self._in_cell(x))

    def _contains(self, x: Tensor) -> Tensor:
        return self.on_lattice(x) & self.inner.support.contains(self._in_cell(x))

    @torch.no_grad()
    def _require_interval_mass(self) -> None:
        device = next(chain(self.inner.buffers(), self.inner.parameters()), torch.zeros(())).device
        one = torch.ones((), dtype=torch.float64, device=device)
        try:
            with unnoticed(self.inner):
                p = self.inner(torch.zeros(1, self.inner.outputs, device=device))
            exact.log_interval_mass(p, exact.Interval(-one / 2, one / 2, one))
            if not _agrees(p, device):
                raise exact.UnknownIntervalMass(
                    f"that which is registered for {type(p).__name__}, or for its parent, is not the integral of its "
                    "density"
                )
        except exact.UnknownIntervalMass as error:
            raise UsageError(
                f"{self.inner.name} on a grid needs the mass of an interval, but {error}: register it with "
                "obsvae.log_interval_mass.register, or take data without a grid (floats)"
            ) from None


def _agrees(p: Distribution, device: torch.device) -> bool:
    """Return whether the mass of narrow intervals around draws is their density times their width.

    A subclass inherits the function that is registered for its parent, and may be another distribution.
    """
    with seeded(0, device):
        try:
            x = p.sample(torch.Size((_DRAWS,)))
        except NotImplementedError:  # without draws there are no places to try
            return True
    x = x[torch.isfinite(x).flatten(1).all(1)]  # of a wide scale some overflow
    log_density = p.log_prob(x).double()
    width, at = _MASS * torch.exp(-log_density), x.double()
    mass = exact.log_interval_mass(p, exact.Interval(at - width / 2, at + width / 2, width)).double()
    # A few may be next to a bound or a kink; what is not finite, or a mass on 0 beside a density, tells nothing.
    told = torch.isfinite(mass) & torch.isfinite(width) & (x != 0)
    off = told & ((mass - math.log(_MASS)).abs() > _OFF)
    return bool((off.sum(0) <= told.sum(0) / 2).all())


def _once_round(inner: Observation, grid: GridLike) -> GridLike:
    """Return the grid that goes once round, from the lowest value: the highest may be the same angle again.

    Of a lattice without ends that is the first value of a turn.
    """
    assert inner.period is not None
    assert inner.turn is not None
    levels = round(inner.period / grid.step)
    if abs(levels * grid.step - inner.period) > 1e-4 * inner.period:
        raise UsageError(
            f"discretised {inner.name} needs a period that is a whole number of grid steps, but the period is "
            f"{inner.period:g} and the step {grid.step:g}; declare the bounds of one turn in the unit of the data, "
            "such as bounds=(0, 360) for degrees"
        )
    low = grid.low
    if grid.levels is None:
        steps = (inner.turn[0] - low) / grid.step
        # The rounding of float32 must not move it by a step.
        low += grid.step * math.ceil(steps - 1e-4)
    return _Lattice(low, grid.step, levels)


@dataclass(frozen=True)
class _Lattice:
    low: float
    step: float
    levels: int
