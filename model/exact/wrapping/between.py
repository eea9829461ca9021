"""Densities on the unit interval in data units, and those that the logit makes."""

import pyro.distributions as dist
import torch
from torch import Size, Tensor

from obsvae.distribution import Distribution, Shape
from obsvae.model.exact.continuous.unit_interval import UnitInterval, strictly_between, within_unit
from obsvae.model.exact.wrapping.transforms import Bounds, Logit


class Between(dist.TransformedDistribution):
    r"""A density between two bounds, from one on the unit interval.

    .. math:: p(x) = \frac{p_\text{base}(u, 1 - u)}{\text{high} - \text{low}}, \qquad
              u = \frac{x - \text{low}}{\text{high} - \text{low}}, \quad
              1 - u = \frac{\text{high} - x}{\text{high} - \text{low}}

    Near the upper bound the number u has lost the digits of 1 − u, while high − x is exact. A draw that rounds to a
    bound which the density leaves out is moved to the next number within.

    Args:
        base: the density of u.
        bounds: the map from u to x.
    """

    base_dist: UnitInterval

    def __init__(self, base: UnitInterval, bounds: Bounds, validate_args: bool | None = None) -> None:
        self.bounds = bounds
        super().__init__(base, [bounds], validate_args)

    def expand(self, batch_shape: Shape, _instance: "Between | None" = None) -> "Between":
        """Return the same distribution over a larger batch shape."""
        return Between(self.base_dist.expand(batch_shape), self.bounds, self._validate_args)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x)."""
        u = self.bounds.inv(value)
        if self.base_dist._validate_args:
            self.base_dist._validate_sample(u)
        log_density = self.base_dist.log_density(u, self.bounds.rest(value))
        return log_density - self.bounds.log_abs_det_jacobian(u, value)

    def sample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw x."""
        return self._within(super().sample(sample_shape))

    def rsample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw x, differentiably where the base is."""
        return self._within(super().rsample(sample_shape))

    def _within(self, x: Tensor) -> Tensor:
        low, high = self.bounds.loc.to(x.dtype), self.bounds.high.to(x.dtype)
        if self.base_dist.is_open:
            return strictly_between(x, low, high)
        return torch.minimum(torch.maximum(x, low), high)


class Sigmoid(UnitInterval, dist.TransformedDistribution):
    r"""The density of x whose logit has a density on the real line.

    .. math:: p(x) = \frac{1}{x (1 - x)} \, p_\text{base}(\operatorname{logit} x), \qquad 0 < x < 1

    Args:
        base: the density of logit x.
    """

    is_open = True

    def __init__(self, base: Distribution, validate_args: bool | None = None) -> None:
        dist.TransformedDistribution.__init__(self, base, [Logit()], validate_args)

    def expand(self, batch_shape: Shape, _instance: "Sigmoid | None" = None) -> "Sigmoid":
        """Return the same distribution over a larger batch shape."""
        return Sigmoid(self.base_dist.expand(batch_shape), self._validate_args)

    def log_density(self, value: Tensor, rest: Tensor) -> Tensor:
        """Return log p(x), from x and 1 − x."""
        log_x, log_rest = torch.log(value), torch.log(rest)
        return self.base_dist.log_prob(log_x - log_rest) - log_x - log_rest

    def sample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw x strictly between 0 and 1."""
        return within_unit(super().sample(sample_shape))

    def rsample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw x strictly between 0 and 1, differentiably where the base is."""
        return within_unit(super().rsample(sample_shape))
