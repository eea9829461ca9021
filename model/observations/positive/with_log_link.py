"""Positive families with a concentration: a log link in units of the data's relative spread."""

import torch
from torch import Tensor

from obsvae.model.observations.base import of_first
from obsvae.model.observations.data_like import Features
from obsvae.model.observations.parameters import inverse_variation, outputs_of, spread_of
from obsvae.model.observations.support import POSITIVE
from obsvae.model.observations.with_concentration import WithConcentration


class PositiveWithConcentration(WithConcentration):
    """A family on x > 0 whose location is exp(spread · η), with the standard deviation of the training data's log x.

    Each unit has its own: a step of η is as large for a column between 0.99 and 1.01 as for one between 1 and 100.

    Arguments: those of :class:`WithConcentration`.

    Attributes:
        power: the concentration starts at (mean / standard deviation) to this power.
    """

    support = POSITIVE
    power: float
    spread: Tensor

    def __init__(
        self,
        concentration: float | str = "per-unit",
        features: Features = Features(),
        floor: float = 1e-3,
    ) -> None:
        super().__init__(concentration, features, floor)
        self.register_buffer("spread", torch.ones(features.unit_shape))

    def exposure(self, eta: Tensor) -> Tensor:
        """Return 1 / spread for the location."""
        return of_first(eta) / self.spread.unsqueeze(-1)

    def initialise(self, x: Tensor) -> Tensor:
        """Start from the mean of each feature, and a concentration for the data's coefficient of variation."""
        self.spread.copy_(spread_of(torch.log(x), self.spread.shape, has_size=False))
        self.concentration.initialise(lambda shape: inverse_variation(x, shape).pow(self.power))
        return outputs_of(torch.log(x.nanmean(0)) / self.spread, self.outputs)
