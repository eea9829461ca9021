"""Positive data such as times to failure."""

import pyro.distributions as dist
import torch
from torch import Tensor

from model.distributions import Weibull as Distribution
from model.observations.base import Units
from model.observations.parameters import inverse_variation, outputs_of, split
from model.observations.with_concentration import WithConcentration


class Weibull(WithConcentration):
    r"""The Weibull density, by its scale λ = exp η and concentration k.

    .. math:: p(x \mid \eta) = \frac{k}{\lambda} \Big(\frac{x}{\lambda}\Big)^{k - 1} e^{-(x / \lambda)^k}, \qquad x > 0

    Shapes: ``eta (*batch, *event, 1)``, or ``(…, 2)`` with ``concentration="decoder"``; x ``(*batch, *event)``.
    """

    units = Units.OWN
    needs = "{x} above 0"
    equivalent = "exp + (x / λ)ᵏ + k log λ"

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Weibull(λ, k)."""
        log_scale, concentration = split(eta, self.concentration)
        return Distribution(torch.exp(log_scale), concentration)

    def initialise(self, x: Tensor) -> Tensor:
        """Start from the mean of each feature, and the k of about the data's coefficient of variation."""
        # Justus et al. 1978: k ≈ (mean / standard deviation)^1.086
        self.concentration.initialise(lambda shape: inverse_variation(x, shape).pow(1.086))
        return outputs_of(torch.log(x.mean(0)), self.outputs)

    def inside(self, x: Tensor) -> Tensor:
        """Return whether x > 0."""
        return x > 0
