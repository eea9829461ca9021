"""Data in [0, 1]: sigmoid and binary cross-entropy on grey values, with the normalising constant."""

import math

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.model import exact
from obsvae.model.observations.base import Observation, smoothed_mean
from obsvae.model.observations.measure import Measure
from obsvae.model.observations.support import UNIT_INTERVAL
from obsvae.options import NUMBER, TRUTH, Option


class ContinuousBernoulli(Observation):
    r"""The continuous Bernoulli density on [0, 1], from its natural parameter.

    .. math:: p(x \mid \eta) = \frac{\eta}{e^\eta - 1} e^{\eta x}, \qquad x \in [0, 1]

    Its mean is *not* the sigmoid of η (:attr:`obsvae.model.exact.ContinuousBernoulli.mean`).

    Shapes: ``eta (*batch, *event, 1)``, x ``(*batch, *event)``.

    Args:
        matched: take the decoder's output for the logit of the *mean*, and η from it. This is the second correction of
            Loaiza-Ganem and Cunningham 2019, section 5, for decoders that were trained with binary cross-entropy.
        limit: greatest \|η\|; beyond it the density is that at the limit, and its gradient 0. Infinite by default,
            which is exact. The paper's own code keeps λ within [1e-4, 1 − 1e-4], which is ``limit=9.21024``.

    Raises:
        UsageError: where the limit is not positive.
    """

    outputs = 1
    measure = Measure.LEBESGUE
    support = UNIT_INTERVAL
    options = (Option("matched", TRUTH, False), Option("limit", NUMBER, math.inf))
    equivalent = "sigmoid + binary cross-entropy, with its normalising constant"

    def __init__(self, matched: bool = False, limit: float = math.inf) -> None:
        if not limit > 0:
            raise UsageError(f"continuous-bernoulli needs a positive limit of |eta|, but got {limit:g}")
        super().__init__()
        self.matched, self.limit = matched, limit

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return ContinuousBernoulli(eta)."""
        return exact.ContinuousBernoulli(self._natural(eta))

    def _natural(self, eta: Tensor) -> Tensor:
        natural = eta.squeeze(-1)
        # In double precision: η grows like e^|logit|, and float32 ends at a logit of 88.
        natural = exact.natural_from_mean_logit(natural.double()) if self.matched else natural
        return natural if math.isinf(self.limit) else natural.clamp(-self.limit, self.limit)

    def parameter(self, eta: Tensor) -> Tensor:
        """Return λ = sigmoid(η), which is nearer to 0 or 1 than the mean."""
        return torch.sigmoid(self._natural(eta))

    def initialise(self, x: Tensor) -> Tensor:
        """Return the η whose mean is each feature's smoothed mean."""
        logits = torch.logit(smoothed_mean(x))
        return (logits if self.matched else exact.natural_from_mean_logit(logits)).unsqueeze(-1)
