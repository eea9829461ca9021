"""Counts: exp and Poisson NLL, and what they leave out."""

import pyro.distributions as dist
import torch
from torch import Tensor

from model.distributions import Poisson as Distribution
from model.observations.base import Measure, Observation, Units
from model.observations.parameters import outputs_of


class Poisson(Observation):
    r"""The Poisson mass, by the log of its rate.

    .. math:: p(x \mid \eta) = \frac{e^{\eta x - e^\eta}}{x!}, \qquad x = 0, 1, 2, \dots

    Shapes: ``eta (*batch, *event, 1)``, x ``(*batch, *event)``.
    """

    outputs = 1
    measure = Measure.COUNTING
    units = Units.OWN
    needs = "{x} a whole number from 0"
    equivalent = "exp + Poisson NLL"
    remedy = "take a family for real numbers such as normal or, for positive ones, gamma"

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Poisson(exp η)."""
        return Distribution(eta.squeeze(-1))

    def initialise(self, x: Tensor) -> Tensor:
        """Return the log of each feature's mean, plus a hundredth of the mean of all."""
        return outputs_of(torch.log(x.mean(0) + 0.01 * x.mean()), self.outputs)

    def inside(self, x: Tensor) -> Tensor:
        """Return whether x is a whole number from 0."""
        return (x >= 0) & (x == x.round())
