"""Counts up to n."""

from typing import Any, Self

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.model import exact
from obsvae.model.observations.base import Observation, smoothed_mean
from obsvae.model.observations.data_like import DataLike, levels_of
from obsvae.model.observations.measure import Measure
from obsvae.model.observations.parameters import outputs_of
from obsvae.model.observations.support import whole_numbers
from obsvae.options import WHOLE_NUMBER, Option


class Binomial(Observation):
    r"""The binomial mass, from logits: how many of n.

    .. math:: p(x \mid \eta) = \binom{n}{x} \sigma(\eta)^x (1 - \sigma(\eta))^{n - x}, \qquad x = 0, \dots, n

    Shapes: ``eta (*batch, *event, 1)``, x ``(*batch, *event)``.

    Args:
        n: the number of trials, at least 1; by default the data's levels less one.
    """

    outputs = 1
    measure = Measure.COUNTING
    options = (Option("n", WHOLE_NUMBER),)
    equivalent = "sigmoid + binary cross-entropy on x / n, with its binomial coefficient"

    def __init__(self, n: int) -> None:
        if n < 1:
            raise UsageError(f"binomial needs at least 1 trial, but got n={n}")
        super().__init__()
        self.n = n
        self.support = whole_numbers(n, "take a larger n, or a family without an upper bound such as poisson")

    @classmethod
    def for_data(cls, data: DataLike | None, *, n: int | None = None, **options: Any) -> Self:
        """Return the family for counts up to the last level of the data's grid, or up to a given n."""
        return cls(
            levels_of("binomial", data, "save counts as integers, or give binomial:n=NUMBER") - 1 if n is None else n
        )

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Binomial(n, logits=η)."""
        logits = eta.squeeze(-1)
        return exact.Binomial(torch.full_like(logits, self.n), logits=logits)

    def initialise(self, x: Tensor) -> Tensor:
        """Return the logit of each feature's smoothed mean share."""
        return outputs_of(torch.logit(smoothed_mean(x / self.n)), self.outputs)
