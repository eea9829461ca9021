"""Binary cross-entropy on grey values: a loss, and not a likelihood."""

import torch
from pyro.distributions.torch_distribution import TorchDistribution
from torch import Tensor
from torch.distributions import constraints

from obsvae.distribution import Shape
from obsvae.model.observations.base import Observation, smoothed_mean
from obsvae.model.observations.correction import Correction
from obsvae.model.observations.measure import Measure
from obsvae.model.observations.support import UNIT_INTERVAL
from obsvae.model.observations.unit_interval.continuous_bernoulli import ContinuousBernoulli


class CrossEntropy(TorchDistribution):
    r"""Minus binary cross-entropy in the place of a log-density, for x in [0, 1].

    .. math:: x \log \sigma(\eta) + (1 - x) \log(1 - \sigma(\eta)) = x \eta - \log(1 + e^\eta)

    Its exponential integrates over x to :math:`\tanh(\eta / 2) / \eta < 1`, which depends on η: it is no density, so it
    has no samples either.

    Args:
        logits: η, shape ``(*batch,)``.
    """

    arg_constraints = {"logits": constraints.real}  # noqa: RUF012 - torch's own class attribute
    support = constraints.unit_interval

    def __init__(self, logits: Tensor, validate_args: bool | None = None) -> None:
        self.logits = logits
        super().__init__(logits.shape, validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: "CrossEntropy | None" = None) -> "CrossEntropy":
        """Return the same loss over a larger batch shape."""
        return CrossEntropy(self.logits.expand(batch_shape), validate_args=self._validate_args)

    @property
    def mean(self) -> Tensor:
        """The sigmoid: the mean of x at which the average loss is least."""
        return torch.sigmoid(self.logits)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return minus the cross-entropy, in nats."""
        if self._validate_args:
            self._validate_sample(value)
        return value * self.logits - torch.nn.functional.softplus(self.logits)


class UnnormalisedBernoulli(Observation):
    r"""Sigmoid and binary cross-entropy on grey x in [0, 1], as in many tutorials.

    It trains and reproduces, but ``measure`` is ``NONE``: it refuses to be called a likelihood. Its decoder is scored
    under the continuous Bernoulli instead (:meth:`corrections`).

    Shapes: ``eta (*batch, *event, 1)``, x ``(*batch, *event)``.

    Reference: Loaiza-Ganem and Cunningham 2019, section 5.
    """

    outputs = 1
    measure = Measure.NONE
    support = UNIT_INTERVAL
    equivalent = "sigmoid + binary cross-entropy on grey values"

    def forward(self, eta: Tensor) -> TorchDistribution:
        """Return the cross-entropy loss in the form of a distribution."""
        return CrossEntropy(eta.squeeze(-1))

    def initialise(self, x: Tensor) -> Tensor:
        """Return the logit of each feature's smoothed mean."""
        return torch.logit(smoothed_mean(x)).unsqueeze(-1)

    def corrections(self) -> tuple[Correction, ...]:
        """Return the continuous Bernoulli with the output as natural parameter, and with the mean matched to it."""
        return (
            Correction("as it stands", ContinuousBernoulli()),
            Correction("mean matched", ContinuousBernoulli(matched=True), is_preferred=True),
        )
