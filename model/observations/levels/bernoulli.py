"""Binary data: sigmoid and binary cross-entropy."""

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.model import exact
from obsvae.model.observations.base import Observation, smoothed_mean
from obsvae.model.observations.measure import Measure
from obsvae.model.observations.support import Support, Units


def is_binary(x: Tensor) -> Tensor:
    """Return whether x is 0 or 1."""
    return (x == 0) | (x == 1)


class Bernoulli(Observation):
    r"""The mass of binary x, from logits.

    .. math:: p(x \mid \eta) = \sigma(\eta)^x \, (1 - \sigma(\eta))^{1 - x}, \qquad x \in \{0, 1\}

    Grey values are refused: on them binary cross-entropy is not the log of any distribution
    (:class:`~obsvae.UnnormalisedBernoulli`).

    Shapes: ``eta (*batch, *event, 1)``, x ``(*batch, *event)``.
    """

    outputs = 1
    measure = Measure.COUNTING
    support = Support(
        "{x} to be 0 or 1",
        is_binary,
        Units.LEVELS,
        "binarise the data (binarise='threshold' or 'dynamic'), or take continuous-bernoulli for grey values",
    )
    equivalent = "sigmoid + binary cross-entropy"

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Bernoulli(logits=eta)."""
        return exact.Bernoulli(logits=eta.squeeze(-1))

    def initialise(self, x: Tensor) -> Tensor:
        """Return the logit of each feature's smoothed mean."""
        return torch.logit(smoothed_mean(x)).unsqueeze(-1)
