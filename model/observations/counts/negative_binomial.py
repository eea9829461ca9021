"""Counts that vary more than a Poisson's."""

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.model import exact
from obsvae.model.observations.counts.poisson import Poisson
from obsvae.model.observations.data_like import Features
from obsvae.model.observations.parameters import FLOOR, make_positive, split
from obsvae.options import NUMBER_OR_WORD, Option
from obsvae.units import mean_of, variance_of


class NegativeBinomial(Poisson):
    r"""The negative binomial mass, by the log of its mean, and its dispersion α.

    .. math:: p(x \mid \eta) = \frac{\Gamma(x + r)}{\Gamma(r) \, x!} (1 - p)^r p^x, \qquad r = \frac{1}{\alpha}, \quad
              p = \frac{\mu}{\mu + r}, \quad \mu = e^\eta

    The variance is μ + α μ²; α → 0 is the Poisson.

    Shapes: ``eta (*batch, *event, 1)``, or ``(…, 2)`` with ``dispersion="decoder"``; x ``(*batch, *event)``.

    Args:
        dispersion: α: a positive number, ``shared``, ``per-unit``, ``per-feature`` or ``decoder``.
        features: shapes of a datum and of its units.
        floor: least learned dispersion as a fraction of the data's.
    """

    options = (Option("dispersion", NUMBER_OR_WORD, "per-unit"), FLOOR)
    equivalent = "exp + Poisson NLL, with a variance above the mean"

    def __init__(
        self, dispersion: float | str = "per-unit", features: Features = Features(), floor: float = 1e-3
    ) -> None:
        super().__init__(features)
        self.dispersion = make_positive("dispersion", dispersion, features, floor)
        self.outputs = 1 + self.dispersion.outputs

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return NegativeBinomial(1 / α, logit p)."""
        log_mean, dispersion = split(eta, self.dispersion)
        return exact.NegativeBinomial(1.0 / dispersion, logits=log_mean + torch.log(dispersion))

    def initialise(self, x: Tensor) -> Tensor:
        """Start from each feature's mean, and the dispersion (variance − mean) / mean², at least 0.01."""

        def estimate(shape: tuple[int, ...]) -> Tensor:
            mean, variance = mean_of(x, shape), variance_of(x, shape)
            return ((variance - mean) / mean.square().clamp_min(1e-6)).clamp(0.01, 100.0)

        self.dispersion.initialise(estimate)
        return super().initialise(x)
