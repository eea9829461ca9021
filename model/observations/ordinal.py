"""Levels with an order: cumulative logits."""

import pyro.distributions as dist
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.distributions import OrderedLogistic
from model.observations.base import Measure, Observation, Units, smoothed_mean
from model.observations.parameters import inverse_softplus

_LEAST_GAP = 1e-3


class Ordinal(Observation):
    r"""The mass of ordered levels, by cumulative logits with learned cutpoints that all features share.

    .. math:: p(x \le k \mid \eta) = \operatorname{sigmoid}(c_k - \eta), \qquad k = 0, \dots, C - 2

    Shapes: ``eta (*batch, *event, 1)``, x ``(*batch, *event)`` with whole numbers in 0 … C − 1.

    Args:
        categories: C, the number of levels; at least 2.
    """

    outputs = 1
    measure = Measure.COUNTING
    units = Units.LEVELS
    needs = "{x} a whole number from 0 to C - 1"
    equivalent = "identity + cumulative-logit NLL"
    remedy = "take as many categories as the data have levels, or a family for real numbers such as normal"

    def __init__(self, categories: int) -> None:
        if categories < 2:
            raise ValueError(f"ordinal needs at least 2 categories, but got {categories}")
        super().__init__()
        self.categories = categories
        self.needs = f"{{x}} a whole number from 0 to {categories - 1}"
        self.first = nn.Parameter(torch.zeros(()))
        self.gaps = nn.Parameter(torch.zeros(categories - 2))

    @property
    def cutpoints(self) -> Tensor:
        """The cutpoints c, increasing, ``(C − 1,)``."""
        gaps = _LEAST_GAP + F.softplus(self.gaps)
        return self.first + torch.cat([gaps.new_zeros(1), gaps.cumsum(0)])

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return OrderedLogistic(η, c)."""
        return OrderedLogistic(eta.squeeze(-1), self.cutpoints)

    @torch.no_grad()
    def initialise(self, x: Tensor) -> Tensor:
        """Set the cutpoints to the logits of the levels' cumulative shares, and return where each feature lies."""
        at_most = torch.stack([(x <= k).to(x.dtype).mean() for k in range(self.categories - 1)])
        cutpoints = torch.logit(smoothed_mean(at_most[None]))
        gaps = (cutpoints.diff() - _LEAST_GAP).clamp_min(_LEAST_GAP)
        self.first.copy_(cutpoints[0])
        self.gaps.copy_(inverse_softplus(gaps))
        share = smoothed_mean(x / (self.categories - 1))
        return (torch.logit(share) - torch.logit(smoothed_mean(x.flatten() / (self.categories - 1)))).unsqueeze(-1)

    def inside(self, x: Tensor) -> Tensor:
        """Return whether x is a whole number in 0 … C − 1."""
        return (x >= 0) & (x < self.categories) & (x == x.round())

    def describe(self) -> dict[str, object]:
        """Return the cutpoints."""
        return {"cutpoints": self.cutpoints.detach().tolist()}
