"""Levels with an order: cumulative logits."""

from typing import Any, Self

import pyro.distributions as dist
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from obsvae.errors import UsageError
from obsvae.model import exact
from obsvae.model.observations.base import Observation, smoothed_mean
from obsvae.model.observations.data_like import CODES, DataLike, Features, levels_of
from obsvae.model.observations.measure import Measure
from obsvae.model.observations.parameters import inverse_softplus
from obsvae.model.observations.support import whole_numbers
from obsvae.options import WHOLE_NUMBER, Option
from obsvae.units import mean_of

_LEAST_GAP = 1e-3


class Ordinal(Observation):
    r"""The mass of ordered levels, by cumulative logits with learned cutpoints for each unit.

    .. math:: p(x \le k \mid \eta) = \operatorname{sigmoid}(c_k - \eta), \qquad k = 0, \dots, C - 2

    Shapes: ``eta (*batch, *event, 1)``, x ``(*batch, *event)`` with whole numbers in 0 … C − 1.

    Args:
        categories: C, the number of levels; at least 2.
        features: shapes of a datum and of its units.
    """

    outputs = 1
    measure = Measure.COUNTING
    options = (Option("categories", WHOLE_NUMBER),)
    equivalent = "identity + cumulative-logit NLL"

    def __init__(self, categories: int, features: Features = Features()) -> None:
        if categories < 2:
            raise UsageError(f"ordinal needs at least 2 categories, but got {categories}")
        super().__init__()
        self.categories = categories
        self.support = whole_numbers(
            categories - 1,
            "take as many categories as the data have levels, or a family for real numbers such as normal",
        )
        self.first = nn.Parameter(torch.zeros(features.unit_shape))
        self.gaps = nn.Parameter(torch.zeros(*features.unit_shape, categories - 2))

    @property
    def cutpoints(self) -> Tensor:
        """The cutpoints c of each unit, increasing, ``(*units, C − 1)``."""
        gaps = _LEAST_GAP + F.softplus(self.gaps)
        first = self.first.unsqueeze(-1)
        return first + torch.cat([torch.zeros_like(first), gaps.cumsum(-1)], -1)

    @classmethod
    def for_data(cls, data: DataLike | None, *, categories: int | None = None, **options: Any) -> Self:
        """Return the family with a category for each level of the data's grid, or as many as are given."""
        number = levels_of("ordinal", data, CODES) if categories is None else categories
        return cls(number, features=Features.of(data), **options)

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return OrderedLogistic(η, c)."""
        return exact.OrderedLogistic(eta.squeeze(-1), self.cutpoints)

    @torch.no_grad()
    def initialise(self, x: Tensor) -> Tensor:
        """Set the cutpoints to the logits of the levels' cumulative shares, and return where each feature lies."""
        units = self.first.shape
        at_most = torch.stack([mean_of((x <= k).to(x.dtype), units) for k in range(self.categories - 1)], -1)
        cutpoints = torch.logit(smoothed_mean(at_most[None]))
        gaps = (cutpoints.diff() - _LEAST_GAP).clamp_min(_LEAST_GAP)
        self.first.copy_(cutpoints[..., 0])
        self.gaps.copy_(inverse_softplus(gaps))
        share = x / (self.categories - 1)
        of_unit = smoothed_mean(mean_of(share, units)[None])
        return (torch.logit(smoothed_mean(share)) - torch.logit(of_unit)).unsqueeze(-1)

    def describe(self) -> dict[str, object]:
        """Return the cutpoints."""
        return {"cutpoints": self.cutpoints.detach().tolist()}
