"""Positive data with a spread in proportion to their mean."""

import pyro.distributions as dist
import torch
from torch import Tensor

from model.distributions import Gamma as Distribution
from model.observations.base import Units
from model.observations.parameters import inverse_variation, outputs_of, split
from model.observations.with_concentration import WithConcentration


class Gamma(WithConcentration):
    r"""The Gamma density, by its mean μ = exp η and concentration α.

    .. math:: p(x \mid \eta) = \frac{\beta^\alpha x^{\alpha - 1} e^{-\beta x}}{\Gamma(\alpha)}, \qquad
              \beta = \alpha e^{-\eta}, \qquad x > 0

    Shapes: ``eta (*batch, *event, 1)``, or ``(…, 2)`` with ``concentration="decoder"``; x ``(*batch, *event)``.
    """

    units = Units.OWN
    needs = "{x} above 0"
    equivalent = "exp + x / μ + log μ, with the concentration said aloud"

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Gamma(α, α / μ)."""
        log_mean, concentration = split(eta, self.concentration)
        return Distribution(concentration, concentration * torch.exp(-log_mean))

    def initialise(self, x: Tensor) -> Tensor:
        """Start from the mean of each feature, and the concentration (mean / standard deviation)²."""
        self.concentration.initialise(lambda shape: inverse_variation(x, shape).square())
        return outputs_of(torch.log(x.mean(0)), self.outputs)

    def inside(self, x: Tensor) -> Tensor:
        """Return whether x > 0."""
        return x > 0
