"""Positive data whose logarithm is Normal."""

import pyro.distributions as dist
import torch
from torch import Tensor

from model.observations.base import Units
from model.observations.location_scale import LocationScale


class LogNormal(LocationScale):
    r"""The density of x whose logarithm is Normal.

    .. math:: p(x \mid \eta) = \frac{1}{x} \, \mathcal{N}(\log x;\; \mu(\eta), \sigma^2), \qquad x > 0

    Arguments, shapes, errors: those of :class:`~model.observations.location_scale.LocationScale`, for log x; there is
    no link.
    """

    has_size = False
    units = Units.OWN
    needs = "{x} above 0"
    equivalent = "exp + squared error of logarithms"

    def __init__(
        self, scale: float | str = "shared", event_shape: tuple[int, ...] | None = None, floor: float = 1e-3
    ) -> None:
        super().__init__(scale, "identity", event_shape, floor)

    def family(self, loc: Tensor, scale: Tensor, *more: Tensor) -> dist.TorchDistribution:
        """Return LogNormal(μ, σ)."""
        return dist.LogNormal(loc, scale)

    def initialise(self, x: Tensor) -> Tensor:
        """Start from the mean and spread of log x."""
        return super().initialise(torch.log(x))

    def inside(self, x: Tensor) -> Tensor:
        """Return whether x > 0."""
        return x > 0
