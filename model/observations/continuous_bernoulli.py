"""Data in [0, 1]: what sigmoid and binary cross-entropy on grey values leave out."""

import math

import pyro.distributions as dist
import torch
from torch import Tensor

from model.distributions import ContinuousBernoulli as Distribution
from model.distributions import natural_from_mean_logit
from model.observations.base import Measure, Observation, Units, smoothed_mean


class ContinuousBernoulli(Observation):
    r"""The continuous Bernoulli density on [0, 1], from its natural parameter.

    .. math:: p(x \mid \eta) = \frac{\eta}{e^\eta - 1} e^{\eta x}, \qquad x \in [0, 1]

    Its mean is *not* the sigmoid of η (:attr:`model.distributions.ContinuousBernoulli.mean`).

    Shapes: ``eta (*batch, *event, 1)``, x ``(*batch, *event)``.

    Args:
        matched: take the decoder's output for the logit of the *mean*, and η from it. This is the second correction of
            Loaiza-Ganem and Cunningham 2019, section 5, for decoders that were trained with binary cross-entropy.
        limit: greatest \|η\|; beyond it the density is that at the limit, and its gradient 0. Infinite by default,
            which is exact. The paper's own code keeps λ within [1e-4, 1 − 1e-4], which is ``limit=9.21024``.

    Raises:
        ValueError: where the limit is not positive.
    """

    outputs = 1
    measure = Measure.LEBESGUE
    units = Units.UNIT_INTERVAL
    needs = "{x} in [0, 1]"
    equivalent = "sigmoid + binary cross-entropy, with its normalising constant"
    remedy = "declare the data's bounds (--bounds LOW HIGH), or take normal for data without bounds"

    def __init__(self, matched: bool = False, limit: float = math.inf) -> None:
        if not limit > 0:
            raise ValueError(f"continuous-bernoulli needs a positive limit of |eta|, but got {limit:g}")
        super().__init__()
        self.matched, self.limit = matched, limit

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return ContinuousBernoulli(eta)."""
        natural = eta.squeeze(-1)
        # In double precision: η grows like e^|logit|, and float32 ends at a logit of 88.
        natural = natural_from_mean_logit(natural.double()) if self.matched else natural
        return Distribution(natural if math.isinf(self.limit) else natural.clamp(-self.limit, self.limit))

    def parameter(self, eta: Tensor) -> Tensor:
        """Return λ = sigmoid(η), which is nearer to 0 or 1 than the mean."""
        return torch.sigmoid(self(eta).eta)

    def initialise(self, x: Tensor) -> Tensor:
        """Return the η whose mean is each feature's smoothed mean."""
        logits = torch.logit(smoothed_mean(x))
        return (logits if self.matched else natural_from_mean_logit(logits)).unsqueeze(-1)

    def inside(self, x: Tensor) -> Tensor:
        """Return whether 0 ≤ x ≤ 1."""
        return (x >= 0) & (x <= 1)
