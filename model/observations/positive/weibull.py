"""Positive data such as times to failure."""

import pyro.distributions as dist
from torch import Tensor

from obsvae.model import exact
from obsvae.model.observations.parameters import split
from obsvae.model.observations.positive.with_log_link import PositiveWithConcentration


class Weibull(PositiveWithConcentration):
    r"""The Weibull density, by its scale λ and concentration k.

    .. math:: p(x \mid \eta) = \frac{k}{\lambda} \Big(\frac{x}{\lambda}\Big)^{k - 1} e^{-(x / \lambda)^k}, \qquad
              \lambda = e^{\text{spread} \cdot \eta}, \qquad x > 0

    Shapes: ``eta (*batch, *event, 1)``, or ``(…, 2)`` with ``concentration="decoder"``; x ``(*batch, *event)``.
    """

    power = 1.086  # Justus et al., Methods for estimating wind speed frequency distributions, 1978
    equivalent = "exp + (x / λ)ᵏ + k log λ"

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Weibull(λ, k)."""
        location, concentration = split(eta, self.concentration)
        log_scale = self.spread * location
        return exact.Weibull(exact.exp_or_inf(log_scale), concentration, log_scale)
