"""Shares and proportions whose logit is Normal."""

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.model import exact
from obsvae.model.observations.parameters import FLOOR, SCALE, outputs_of
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

    def __init__(
        self, scale: float | str = "shared", event_shape: tuple[int, ...] | None = None, floor: float = 1e-3
    ) -> None:
        super().__init__(scale, "identity", event_shape, floor)

    @property
    def _unit(self) -> Tensor | float:
        return self.spread

    def family(self, loc: Tensor, scale: Tensor, *more: Tensor) -> dist.TorchDistribution:
        """Return LogitNormal(μ, σ)."""
        return exact.LogitNormal(loc, scale)

    def initialise(self, x: Tensor) -> Tensor:
        """Start from the mean and spread of logit x."""
        u = torch.logit(x)
        super().initialise(u)
        return outputs_of(u.mean(0) / self._unit, self.outputs)
