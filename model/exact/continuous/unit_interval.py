"""Densities on the unit interval, from x and 1 − x."""

from abc import abstractmethod

import torch
from pyro.distributions.torch_distribution import TorchDistribution
from torch import Tensor
from torch.distributions import constraints


class UnitInterval(TorchDistribution):
    """A density of x from 0 to 1.

    Near 1 a float32 number x has lost the digits of 1 − x, which data between other bounds have. Therefore the density
    is one of both.

    Attributes:
        is_open: whether the bounds are left out.
    """

    support = constraints.unit_interval
    is_open: bool = False

    @abstractmethod
    def log_density(self, value: Tensor, rest: Tensor) -> Tensor:
        """Return log p(x) from x and 1 − x."""

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x)."""
        if self._validate_args:
            self._validate_sample(value)
        return self.log_density(value, 1.0 - value)


def log_part(value: Tensor, rest: Tensor) -> Tensor:
    """Return log x from x and 1 − x, with its digits on either side."""
    return torch.where(value < 0.5, torch.log(value), torch.log1p(-rest.clamp(max=0.5)))


def strictly_between(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Return draws x, with those that are rounded to a bound, or beyond, moved to the next number within.

    Next to 0 that is the least normal number for an interval that is scaled to the unit interval: programs may flush
    smaller ones to 0.
    """
    least = torch.finfo(x.dtype).tiny * 2.0 * torch.clamp(high - low, min=1.0)
    first = torch.maximum(low.nextafter(high), low + least)
    last = torch.minimum(high.nextafter(low), high - least)
    return torch.minimum(torch.maximum(x, first), last)


def within_unit(x: Tensor) -> Tensor:
    """Return draws from the open unit interval, with those that are rounded to a bound moved inside."""
    return strictly_between(x, x.new_zeros(()), x.new_ones(()))
