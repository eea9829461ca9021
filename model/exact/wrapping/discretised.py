"""A density rounded to a grid."""

import math

import torch
from pyro.distributions.torch_distribution import TorchDistribution
from torch import Size, Tensor
from torch.distributions import constraints

from obsvae.distribution import Distribution, Shape
from obsvae.model.exact.interval_mass.closed_form import log_interval_mass
from obsvae.model.exact.interval_mass.interval import Interval

_EPS = torch.finfo(torch.float32).eps


class Lattice(constraints.Constraint):
    """The values low + step · k, for k = 0 … levels − 1 or any whole k, to within the rounding of float32."""

    is_discrete = True

    def __init__(self, low: float, step: float, levels: int | None) -> None:
        self.low, self.step, self.levels = low, step, levels

    def level(self, value: Tensor) -> Tensor:
        """Return k, which is not whole off the lattice."""
        return (value - self.low) / self.step

    def check(self, value: Tensor) -> Tensor:
        """Return whether each value is on the lattice."""
        level = self.level(value)
        moved = 4.0 * _EPS * ((value.abs() + abs(self.low)) / self.step + level.abs())
        on = (level - level.round()).abs() <= moved
        return on if self.levels is None else on & (level.round() >= 0) & (level.round() < self.levels)


class Discretised(TorchDistribution):
    r"""The mass that a density has on the cells of a grid, with its tails in the first and the last.

    .. math:: p(x_k) = F(e_{k+1}) - F(e_k), \qquad e_k = \text{low} + (k + \text{start}) \, \text{step}, \quad
              e_0 = -\infty, \quad e_{C} = \infty, \qquad x_k = \text{low} + k \, \text{step}

    Args:
        base: an elementwise density over the unit of the grid, which
            :func:`obsvae.model.exact.log_interval_mass` knows.
        low: x₀.
        step: distance between neighbours.
        levels: C, how many values there are; None: a lattice without ends, whose cells have no tails.
        start: where a cell begins, in steps from its value: −½ for a value that was rounded, 0 for one rounded down.
        is_folded: whether the first and the last cell have the tails; not on a circle, which the grid goes round once.

    Reference: Salimans, Karpathy, Chen and Kingma, *PixelCNN++*, ICLR 2017, equation 2.
    """

    arg_constraints: dict[str, constraints.Constraint] = {}  # noqa: RUF012 - torch's own class attribute

    def __init__(
        self,
        base: Distribution,
        low: float,
        step: float,
        levels: int | None,
        start: float = -0.5,
        is_folded: bool = True,
        validate_args: bool | None = None,
    ) -> None:
        self.base, self.start, self.is_folded = base, start, is_folded and levels is not None
        self._lattice = Lattice(low, step, levels)
        super().__init__(base.batch_shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> constraints.Constraint:
        """Return the lattice."""
        return self._lattice

    def expand(self, batch_shape: Shape, _instance: "Discretised | None" = None) -> "Discretised":
        """Return the same distribution over a larger batch shape."""
        grid = self._lattice
        return Discretised(
            self.base.expand(batch_shape),
            grid.low,
            grid.step,
            grid.levels,
            self.start,
            self.is_folded,
            self._validate_args,
        )

    def _edge(self, level: Tensor) -> Tensor:
        return self._lattice.low + (level + self.start) * self._lattice.step

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x), for x on the grid."""
        if self._validate_args:
            self._validate_sample(value)
        # Its edges in double precision: what a family takes off them, a location or 1, leaves few digits of float32.
        level = self._lattice.level(value.double()).round()
        levels = math.inf if self._lattice.levels is None else self._lattice.levels
        is_first = (level <= 0) & self.is_folded
        is_last = (level >= levels - 1) & self.is_folded
        low = torch.where(is_first, -math.inf, self._edge(level))
        high = torch.where(is_last, math.inf, self._edge(level + 1.0))
        width = torch.where(is_first | is_last, math.inf, torch.full_like(level, self._lattice.step))
        return log_interval_mass(self.base, Interval(low, high, width))

    @property
    def mean(self) -> Tensor:
        """E[x] = x₀ + step · Σₖ P(X > eₖ), a term for each edge between two cells.

        Without ends that of the middle of the cell that a draw of the base falls in, to within half a step: the base's
        mean, less how far the middle lies from the value.
        """
        if self._lattice.levels is None:
            return self.base.mean - (self.start + 0.5) * self._lattice.step
        # Numbers without a dimension take the dtype of what they meet, and stay on the CPU beside any device.
        infinite = torch.full((), math.inf, dtype=torch.float64)
        total = torch.zeros(())
        for level in range(1, self._lattice.levels):
            edge = self._edge(torch.tensor(float(level), dtype=torch.float64))
            total = total + torch.exp(log_interval_mass(self.base, Interval(edge, infinite, infinite)))
        return self._lattice.low + self._lattice.step * total

    @torch.no_grad()
    def sample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw from the density, and return the value whose cell that falls in."""
        grid = self._lattice
        level = torch.floor(grid.level(self.base.sample(sample_shape)) - self.start)
        if grid.levels is not None:
            level = level.clamp(0, grid.levels - 1) if self.is_folded else level % grid.levels
        return grid.low + grid.step * level
