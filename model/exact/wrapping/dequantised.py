"""A density that sees the values of a grid through uniform noise."""

import math

import torch
from pyro.distributions.torch_distribution import TorchDistribution
from torch import Size, Tensor
from torch.distributions import constraints

from obsvae.distribution import Distribution, Shape
from obsvae.within_cell import within_cell


class Dequantised(TorchDistribution):
    r"""A lower bound of the mass that a density has on a grid's cells, by uniform noise.

    .. math:: \log p(x + \text{step} \cdot u) + \log \text{step}, \quad u \sim U(0, 1), \qquad
              \mathbb{E}_u[\,\cdot\,] \le \log \int_x^{x + \text{step}} p(t) \, dt

    Each call of :meth:`log_prob` draws its own u, one for each entry of its result: its exponential is an unbiased
    estimate of the mass, so that an importance-weighted likelihood stays a bound, which more particles tighten.

    Args:
        base: an elementwise density.
        low: the grid's lowest value.
        step: distance between its values.
        levels: how many there are; None: no end of them.

    Reference: Theis, van den Oord and Bethge, *A note on the evaluation of generative models*, ICLR 2016, section 3.1.
    """

    arg_constraints: dict[str, constraints.Constraint] = {}  # noqa: RUF012 - torch's own class attribute
    support = constraints.real

    def __init__(
        self, base: Distribution, low: float, step: float, levels: int | None, validate_args: bool | None = None
    ) -> None:
        self.base, self.low, self.step, self.levels = base, low, step, levels
        super().__init__(base.batch_shape, validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: "Dequantised | None" = None) -> "Dequantised":
        """Return the same distribution over a larger batch shape."""
        return Dequantised(self.base.expand(batch_shape), self.low, self.step, self.levels, self._validate_args)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the log-density at x + step · u, in the grid's unit: a random number."""
        shape = torch.broadcast_shapes(value.shape, self.batch_shape)
        u = torch.rand(shape, dtype=value.dtype, device=value.device)
        return self.base.log_prob(within_cell(value, self.step, u)) + math.log(self.step)

    @property
    def mean(self) -> Tensor:
        """E[x + step · u] − step / 2, as the noise has mean one half."""
        return self.base.mean - 0.5 * self.step

    @torch.no_grad()
    def sample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw from the density, and return the value of the grid whose cell that is in or nearest to."""
        level = torch.floor((self.base.sample(sample_shape) - self.low) / self.step)
        return self.low + self.step * (level if self.levels is None else level.clamp(0, self.levels - 1))
