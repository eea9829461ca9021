"""Binary data: sigmoid and binary cross-entropy."""

import pyro.distributions as dist
import torch
from torch import Tensor

from model.distributions import Bernoulli as Distribution
from model.observations.base import Measure, Observation, Units, smoothed_mean


class Bernoulli(Observation):
    r"""The mass of binary x, from logits.

    .. math:: p(x \mid \eta) = \sigma(\eta)^x \, (1 - \sigma(\eta))^{1 - x}, \qquad x \in \{0, 1\}

    Grey values are refused: on them binary cross-entropy is not the log of any distribution
    (:class:`~model.observations.UnnormalisedBernoulli`).

    Shapes: ``eta (*batch, *event, 1)``, x ``(*batch, *event)``.
    """

    outputs = 1
    measure = Measure.COUNTING
    units = Units.LEVELS
    needs = "{x} to be 0 or 1"
    equivalent = "sigmoid + binary cross-entropy"
    remedy = "binarise the data, or take continuous-bernoulli for grey values"

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Bernoulli(logits=eta)."""
        return Distribution(logits=eta.squeeze(-1))

    def initialise(self, x: Tensor) -> Tensor:
        """Return the logit of each feature's smoothed mean."""
        return torch.logit(smoothed_mean(x)).unsqueeze(-1)

    def inside(self, x: Tensor) -> Tensor:
        """Return whether x is 0 or 1."""
        return (x == 0) | (x == 1)
