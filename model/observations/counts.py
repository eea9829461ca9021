"""Counts: exp and Poisson NLL, and what they leave out."""

import pyro.distributions as dist
import torch
from torch import Tensor

from model.distributions import Binomial as BinomialDistribution
from model.distributions import NegativeBinomial as NegativeBinomialDistribution
from model.distributions import Poisson as PoissonDistribution
from model.observations.base import Measure, Observation, Units, smoothed_mean
from model.observations.parameters import make_positive, outputs_of, split


class Poisson(Observation):
    r"""The Poisson mass, by the log of its rate.

    .. math:: p(x \mid \eta) = \frac{e^{\eta x - e^\eta}}{x!}, \qquad x = 0, 1, 2, \dots

    Shapes: ``eta (*batch, *event, 1)``, x ``(*batch, *event)``.
    """

    outputs = 1
    measure = Measure.COUNTING
    units = Units.OWN
    needs = "{x} a whole number from 0"
    equivalent = "exp + Poisson NLL"
    remedy = "take a family for real numbers such as normal or, for positive ones, gamma"

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Poisson(exp η)."""
        return PoissonDistribution(torch.exp(eta.squeeze(-1)))

    def initialise(self, x: Tensor) -> Tensor:
        """Return the log of each feature's mean, plus a hundredth of the mean of all."""
        return outputs_of(torch.log(x.mean(0) + 0.01 * x.mean()), self.outputs)

    def inside(self, x: Tensor) -> Tensor:
        """Return whether x is a whole number from 0."""
        return (x >= 0) & (x == x.round())


class NegativeBinomial(Poisson):
    r"""The negative binomial mass, by the log of its mean, and its dispersion α.

    .. math:: p(x \mid \eta) = \frac{\Gamma(x + r)}{\Gamma(r) \, x!} (1 - p)^r p^x, \qquad r = \frac{1}{\alpha}, \quad
              p = \frac{\mu}{\mu + r}, \quad \mu = e^\eta

    The variance is μ + α μ²; α → 0 is the Poisson.

    Shapes: ``eta (*batch, *event, 1)``, or ``(…, 2)`` with ``dispersion="decoder"``; x ``(*batch, *event)``.

    Args:
        dispersion: α: a positive number, ``shared``, ``per-feature`` or ``decoder``.
        event_shape: shape of one datum; needed for ``per-feature``.
        floor: least learned dispersion as a fraction of the data's.
    """

    equivalent = "exp + Poisson NLL with a variance of its own"

    def __init__(
        self, dispersion: float | str = "shared", event_shape: tuple[int, ...] | None = None, floor: float = 1e-3
    ) -> None:
        super().__init__()
        self.dispersion = make_positive("dispersion", dispersion, event_shape, floor)
        self.outputs = 1 + self.dispersion.outputs

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return NegativeBinomial(1 / α, logit p)."""
        log_mean, dispersion = split(eta, self.dispersion)
        return NegativeBinomialDistribution(1.0 / dispersion, logits=log_mean + torch.log(dispersion))

    def initialise(self, x: Tensor) -> Tensor:
        """Start from each feature's mean, and the dispersion (variance − mean) / mean², at least 0.01."""

        def estimate(shape: tuple[int, ...]) -> Tensor:
            mean, variance = (x.mean(0), x.var(0)) if shape else (x.mean(), x.var())
            return ((variance - mean) / mean.square().clamp_min(1e-6)).clamp(0.01, 100.0)

        self.dispersion.initialise(estimate)
        return super().initialise(x)


class Binomial(Observation):
    r"""The binomial mass, from logits: how many of n.

    .. math:: p(x \mid \eta) = \binom{n}{x} \sigma(\eta)^x (1 - \sigma(\eta))^{n - x}, \qquad x = 0, \dots, n

    Shapes: ``eta (*batch, *event, 1)``, x ``(*batch, *event)``.

    Args:
        n: the number of trials, at least 1; by default the data's levels less one.
    """

    outputs = 1
    measure = Measure.COUNTING
    units = Units.LEVELS
    needs = "{x} a whole number from 0 to n"
    equivalent = "sigmoid + binary cross-entropy on x / n, with its binomial coefficient"
    remedy = "take a larger n, or a family without an upper bound such as poisson"

    def __init__(self, n: int) -> None:
        if n < 1:
            raise ValueError(f"binomial needs at least 1 trial, but got n={n}")
        super().__init__()
        self.n = n
        self.needs = f"{{x}} a whole number from 0 to {n}"

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Binomial(n, logits=η)."""
        logits = eta.squeeze(-1)
        return BinomialDistribution(torch.full_like(logits, self.n), logits=logits)

    def initialise(self, x: Tensor) -> Tensor:
        """Return the logit of each feature's smoothed mean share."""
        return outputs_of(torch.logit(smoothed_mean(x / self.n)), self.outputs)

    def inside(self, x: Tensor) -> Tensor:
        """Return whether x is a whole number in 0 … n."""
        return (x >= 0) & (x <= self.n) & (x == x.round())
