"""Shares and proportions: sigmoid and Beta NLL."""

import pyro.distributions as dist
import torch
from torch import Tensor
from torch.nn import functional as F

from obsvae.model import exact
from obsvae.model.observations.base import smoothed_mean
from obsvae.model.observations.parameters import outputs_of, split
from obsvae.model.observations.support import OPEN_INTERVAL
from obsvae.model.observations.with_concentration import WithConcentration
from obsvae.units import mean_of, variance_of


class Beta(WithConcentration):
    r"""The Beta density, by its mean μ = sigmoid η and concentration κ.

    .. math:: p(x \mid \eta) = \frac{x^{\alpha - 1} (1 - x)^{\beta - 1}}{B(\alpha, \beta)}, \qquad
              \alpha = \kappa \mu, \quad \beta = \kappa (1 - \mu), \qquad 0 < x < 1

    Shapes: ``eta (*batch, *event, 1)``, or ``(…, 2)`` with ``concentration="decoder"``; x ``(*batch, *event)``.
    """

    support = OPEN_INTERVAL
    equivalent = "sigmoid + Beta NLL"

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Beta(κ μ, κ (1 − μ))."""
        logit, concentration = split(eta, self.concentration)
        log_concentration = torch.log(concentration)
        return exact.Beta(
            concentration * torch.sigmoid(logit),
            concentration * torch.sigmoid(-logit),
            log_concentration + F.logsigmoid(logit),
            log_concentration + F.logsigmoid(-logit),
        )

    def initialise(self, x: Tensor) -> Tensor:
        """Start from each feature's mean, and the concentration μ (1 − μ) / variance − 1, at least a tenth."""

        def estimate(shape: tuple[int, ...]) -> Tensor:
            mean, variance = mean_of(x, shape), variance_of(x, shape)
            return (mean * (1.0 - mean) / variance.clamp_min(1e-6) - 1.0).clamp_min(0.1)

        self.concentration.initialise(estimate)
        return outputs_of(torch.logit(smoothed_mean(x)), self.outputs)
