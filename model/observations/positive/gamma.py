"""Positive data with a spread in proportion to their mean."""

import pyro.distributions as dist
from torch import Tensor

from obsvae.model import exact
from obsvae.model.observations.parameters import split
from obsvae.model.observations.positive.with_log_link import PositiveWithConcentration


class Gamma(PositiveWithConcentration):
    r"""The Gamma density, by its mean μ and concentration α.

    .. math:: p(x \mid \eta) = \frac{\beta^\alpha x^{\alpha - 1} e^{-\beta x}}{\Gamma(\alpha)}, \qquad
              \beta = \frac{\alpha}{\mu}, \quad \mu = e^{\text{spread} \cdot \eta}, \qquad x > 0

    Shapes: ``eta (*batch, *event, 1)``, or ``(…, 2)`` with ``concentration="decoder"``; x ``(*batch, *event)``.
    """

    power = 2.0
    equivalent = "exp + x / μ + log μ, with the concentration learned or fixed"

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Gamma(α, α / μ)."""
        location, concentration = split(eta, self.concentration)
        log_mean = self.spread * location
        return exact.Gamma(concentration, exact.exp_or_inf(-log_mean, concentration), log_mean)
