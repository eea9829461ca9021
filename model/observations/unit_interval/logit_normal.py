"""Shares and proportions whose logit is Normal."""

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.model import exact
from obsvae.model.observations.data_like import Features
from obsvae.model.observations.parameters import FLOOR, SCALE
from obsvae.model.observations.real_line.location_scale import LocationScale
from obsvae.model.observations.support import OPEN_INTERVAL


class LogitNormal(LocationScale):
    r"""The density of x whose logit is Normal.

    .. math:: p(x \mid \eta) = \frac{1}{x (1 - x)} \, \mathcal{N}(\operatorname{logit} x;\; \mu(\eta), \sigma^2),
              \qquad 0 < x < 1

    Arguments, shapes, errors: those of :class:`LocationScale`, for logit x; there is
    no link.
    """

    has_size = False
    support = OPEN_INTERVAL
    options = (SCALE, FLOOR)
    equivalent = "sigmoid + squared error of logits"

    def __init__(self, scale: float | str = "per-unit", features: Features = Features(), floor: float = 1e-3) -> None:
        super().__init__(scale, "identity", features, floor)

    @property
    def _is_in_unit_interval(self) -> bool:
        return False

    def family(self, loc: Tensor, scale: Tensor, *more: Tensor) -> dist.TorchDistribution:
        """Return LogitNormal(μ, σ)."""
        return exact.LogitNormal(loc, scale)

    def initialise(self, x: Tensor) -> Tensor:
        """Start from the mean and spread of logit x."""
        return super().initialise(torch.logit(x))
