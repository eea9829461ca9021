"""Shares and proportions, by their median."""

import math

import pyro.distributions as dist
import torch
from torch import Tensor
from torch.nn import functional as F

from obsvae.model import exact
from obsvae.model.exact.interval_mass.differences import log_minus_log1mexp
from obsvae.model.observations.base import smoothed_mean
from obsvae.model.observations.parameters import outputs_of, split
from obsvae.model.observations.support import OPEN_INTERVAL
from obsvae.model.observations.with_concentration import WithConcentration


class Kumaraswamy(WithConcentration):
    r"""The Kumaraswamy density, by its median m = sigmoid η and concentration b.

    .. math:: p(x \mid \eta) = a b \, x^{a - 1} (1 - x^a)^{b - 1}, \qquad
              a = \frac{\log(1 - 2^{-1/b})}{\log m}, \qquad 0 < x < 1

    Shapes: ``eta (*batch, *event, 1)``, or ``(…, 2)`` with ``concentration="decoder"``; x ``(*batch, *event)``.
    """

    support = OPEN_INTERVAL
    equivalent = "sigmoid + Kumaraswamy NLL"

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Kumaraswamy(a, b)."""
        logit, b = split(eta, self.concentration)
        # On the log scale, for log m itself may underflow: log(−log m) → −η as m → 1.
        high = logit > 20.0
        log_minus_log_m = torch.where(high, -logit, torch.log(F.softplus(-torch.where(high, 0.0, logit))))
        log_a = log_minus_log1mexp(-math.log(2.0) / b) - log_minus_log_m
        return exact.Kumaraswamy(exact.exp_or_inf(log_a), b, log_a)

    def initialise(self, x: Tensor) -> Tensor:
        """Start from each feature's mean for a median, and concentration 1."""
        self.concentration.initialise(lambda shape: x.new_ones(shape))
        return outputs_of(torch.logit(smoothed_mean(x)), self.outputs)
