"""Positive data whose logarithm is Normal."""

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.model import exact
from obsvae.model.observations.base import of_first
from obsvae.model.observations.data_like import Features
from obsvae.model.observations.parameters import FLOOR, SCALE
from obsvae.model.observations.real_line.location_scale import LocationScale
from obsvae.model.observations.support import POSITIVE


class LogNormal(LocationScale):
    r"""The density of x whose logarithm is Normal.

    .. math:: p(x \mid \eta) = \frac{1}{x} \, \mathcal{N}(\log x;\; \mu(\eta), \sigma^2), \qquad x > 0

    Arguments, shapes, errors: those of :class:`LocationScale`, for log x; there is
    no link.
    """

    has_size = False
    support = POSITIVE
    options = (SCALE, FLOOR)
    equivalent = "exp + squared error of logarithms"

    def __init__(self, scale: float | str = "per-unit", features: Features = Features(), floor: float = 1e-3) -> None:
        super().__init__(scale, "identity", features, floor)

    def family(self, loc: Tensor, scale: Tensor, *more: Tensor) -> dist.TorchDistribution:
        """Return LogNormal(μ, σ)."""
        return exact.LogNormal(loc, scale)

    def exposure(self, eta: Tensor) -> Tensor:
        """Return 1 / spread for the location of log x."""
        return of_first(eta) / self.spread.unsqueeze(-1)

    def initialise(self, x: Tensor) -> Tensor:
        """Start from the mean and spread of log x."""
        return super().initialise(torch.log(x))
