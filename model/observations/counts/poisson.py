"""Counts: exp and Poisson NLL, with its normalising constant."""

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.model import exact
from obsvae.model.observations.base import Observation
from obsvae.model.observations.measure import Measure
from obsvae.model.observations.parameters import outputs_of
from obsvae.model.observations.support import COUNTS


class Poisson(Observation):
    r"""The Poisson mass, by the log of its rate.

    .. math:: p(x \mid \eta) = \frac{e^{\eta x - e^\eta}}{x!}, \qquad x = 0, 1, 2, \dots

    Shapes: ``eta (*batch, *event, 1)``, x ``(*batch, *event)``.
    """

    outputs = 1
    measure = Measure.COUNTING
    support = COUNTS
    equivalent = "exp + Poisson NLL"

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Poisson(exp η)."""
        return exact.Poisson(eta.squeeze(-1))

    def initialise(self, x: Tensor) -> Tensor:
        """Return the log of each feature's mean, plus a hundredth of the mean of all."""
        return outputs_of(torch.log(x.mean(0) + 0.01 * x.mean()), self.outputs)
