"""Counts: exp and Poisson NLL, with its normalising constant."""

from typing import Any, Self

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.model import exact
from obsvae.model.observations.base import Observation, of_first
from obsvae.model.observations.data_like import DataLike, Features
from obsvae.model.observations.measure import Measure
from obsvae.model.observations.parameters import outputs_of
from obsvae.model.observations.support import COUNTS
from obsvae.units import mean_of


class Poisson(Observation):
    r"""The Poisson mass, by the log of its rate.

    .. math:: p(x \mid \eta) = \frac{e^{\eta x - e^\eta}}{x!}, \qquad x = 0, 1, 2, \dots

    Shapes: ``eta (*batch, *event, 1)``, x ``(*batch, *event)``.

    Args:
        features: shapes of a datum and of its units.
    """

    outputs = 1
    measure = Measure.COUNTING
    support = COUNTS
    equivalent = "exp + Poisson NLL"

    def __init__(self, features: Features = Features()) -> None:
        super().__init__()
        self.unit_shape = features.unit_shape

    @classmethod
    def for_data(cls, data: DataLike | None, **options: Any) -> Self:
        """Return the family for data of this shape."""
        return cls(**options, features=Features.of(data))

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Poisson(exp η)."""
        return exact.Poisson(eta.squeeze(-1))

    def exposure(self, eta: Tensor) -> Tensor:
        """Return 1 for the log of the mean."""
        return of_first(eta)

    def initialise(self, x: Tensor) -> Tensor:
        """Return the log of each feature's mean, plus a hundredth of its unit's.

        A unit without any count starts as if its mean were half a count.
        """
        of_unit = mean_of(x, self.unit_shape)
        least = torch.where(of_unit > 0, 0.01 * of_unit, 0.5 / len(x))
        return outputs_of(torch.log(x.mean(0) + least), self.outputs)
