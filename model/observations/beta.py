"""Shares and proportions: sigmoid and Beta NLL."""

import pyro.distributions as dist
import torch
from torch import Tensor

from model.distributions import Beta as Distribution
from model.observations.base import OPEN_INTERVAL, OPEN_REMEDY, Units, smoothed_mean
from model.observations.parameters import outputs_of, split
from model.observations.with_concentration import WithConcentration


class Beta(WithConcentration):
    r"""The Beta density, by its mean μ = sigmoid η and concentration κ.

    .. math:: p(x \mid \eta) = \frac{x^{\alpha - 1} (1 - x)^{\beta - 1}}{B(\alpha, \beta)}, \qquad
              \alpha = \kappa \mu, \quad \beta = \kappa (1 - \mu), \qquad 0 < x < 1

    Shapes: ``eta (*batch, *event, 1)``, or ``(…, 2)`` with ``concentration="decoder"``; x ``(*batch, *event)``.
    """

    units = Units.UNIT_INTERVAL
    needs = OPEN_INTERVAL
    remedy = OPEN_REMEDY
    equivalent = "sigmoid + Beta NLL"

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Beta(κ μ, κ (1 − μ))."""
        logit, concentration = split(eta, self.concentration)
        return Distribution(concentration * torch.sigmoid(logit), concentration * torch.sigmoid(-logit))

    def initialise(self, x: Tensor) -> Tensor:
        """Start from each feature's mean, and the concentration μ (1 − μ) / variance − 1, at least a tenth."""

        def estimate(shape: tuple[int, ...]) -> Tensor:
            mean, variance = (x.mean(0), x.var(0)) if shape else (x.mean(), x.var())
            return (mean * (1.0 - mean) / variance.clamp_min(1e-6) - 1.0).clamp_min(0.1)

        self.concentration.initialise(estimate)
        return outputs_of(torch.logit(smoothed_mean(x)), self.outputs)

    def inside(self, x: Tensor) -> Tensor:
        """Return whether 0 < x < 1."""
        return (x > 0) & (x < 1)
