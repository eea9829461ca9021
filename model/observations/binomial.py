"""Counts up to n."""

import pyro.distributions as dist
import torch
from torch import Tensor

from model.distributions import Binomial as Distribution
from model.observations.base import Measure, Observation, Units, smoothed_mean
from model.observations.parameters import outputs_of


class Binomial(Observation):
    r"""The binomial mass, from logits: how many of n.

    .. math:: p(x \mid \eta) = \binom{n}{x} \sigma(\eta)^x (1 - \sigma(\eta))^{n - x}, \qquad x = 0, \dots, n

    Shapes: ``eta (*batch, *event, 1)``, x ``(*batch, *event)``.

    Args:
        n: the number of trials, at least 1; by default the data's levels less one.
    """

    outputs = 1
    measure = Measure.COUNTING
    units = Units.LEVELS
    needs = "{x} a whole number from 0 to n"
    equivalent = "sigmoid + binary cross-entropy on x / n, with its binomial coefficient"
    remedy = "take a larger n, or a family without an upper bound such as poisson"

    def __init__(self, n: int) -> None:
        if n < 1:
            raise ValueError(f"binomial needs at least 1 trial, but got n={n}")
        super().__init__()
        self.n = n
        self.needs = f"{{x}} a whole number from 0 to {n}"

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Binomial(n, logits=η)."""
        logits = eta.squeeze(-1)
        return Distribution(torch.full_like(logits, self.n), logits=logits)

    def initialise(self, x: Tensor) -> Tensor:
        """Return the logit of each feature's smoothed mean share."""
        return outputs_of(torch.logit(smoothed_mean(x / self.n)), self.outputs)

    def inside(self, x: Tensor) -> Tensor:
        """Return whether x is a whole number in 0 … n."""
        return (x >= 0) & (x <= self.n) & (x == x.round())
