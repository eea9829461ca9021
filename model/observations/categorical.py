"""Levels without order: softmax and cross-entropy."""

import pyro.distributions as dist
import torch
from torch import Tensor

from model.distributions import Categorical as Distribution
from model.observations.base import Measure, Observation, Units


class Categorical(Observation):
    r"""The mass of one of C levels, per feature.

    .. math:: p(x = k \mid \eta) = \frac{e^{\eta_k}}{\sum_{j < C} e^{\eta_j}}, \qquad k = 0, \dots, C - 1

    Shapes: ``eta (*batch, *event, C)``, x ``(*batch, *event)`` with whole numbers (of any dtype) in 0 … C − 1.

    Args:
        categories: C, the number of levels; at least 2.
    """

    measure = Measure.COUNTING
    units = Units.LEVELS
    needs = "{x} a whole number from 0 to C - 1"
    equivalent = "softmax + cross-entropy"
    remedy = "take as many categories as the data have levels, or a family for real numbers such as normal"

    def __init__(self, categories: int) -> None:
        if categories < 2:
            raise ValueError(f"categorical needs at least 2 categories, but got {categories}")
        super().__init__()
        self.outputs = categories
        self.needs = f"{{x}} a whole number from 0 to {categories - 1}"

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Categorical(logits=eta)."""
        return Distribution(eta)

    def mean(self, eta: Tensor) -> Tensor:
        """Return the mean level Σ k p(k), ``(*batch, *event)``."""
        levels = torch.arange(self.outputs, dtype=eta.dtype, device=eta.device)
        return torch.softmax(eta, -1) @ levels

    def initialise(self, x: Tensor) -> Tensor:
        """Return the log of each feature's level frequencies, smoothed by one count spread over the levels."""
        counts = torch.stack([(x == level).sum(0) for level in range(self.outputs)], -1)
        counts = counts.to(torch.promote_types(x.dtype, torch.get_default_dtype()))
        return torch.log((counts + 1.0 / self.outputs) / (len(x) + 1.0))

    def inside(self, x: Tensor) -> Tensor:
        """Return whether x is a whole number in 0 … C − 1."""
        return (x >= 0) & (x < self.outputs) & (x == x.round())
