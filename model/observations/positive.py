"""Positive data: exp in the place of a sigmoid."""

import pyro.distributions as dist
import torch
from torch import Tensor

from model.distributions import Gamma as GammaDistribution
from model.distributions import Weibull as WeibullDistribution
from model.observations.base import Measure, Observation, Units
from model.observations.location_scale import LocationScale
from model.observations.parameters import make_positive, outputs_of, split


class LogNormal(LocationScale):
    r"""The density of x whose logarithm is Normal.

    .. math:: p(x \mid \eta) = \frac{1}{x} \, \mathcal{N}(\log x;\; \mu(\eta), \sigma^2), \qquad x > 0

    Arguments, shapes, errors: those of :class:`~model.observations.location_scale.LocationScale`, for log x; there is
    no link.
    """

    units = Units.OWN
    needs = "{x} above 0"
    equivalent = "exp + squared error of logarithms"

    def __init__(
        self, scale: float | str = "shared", event_shape: tuple[int, ...] | None = None, floor: float = 1e-3
    ) -> None:
        super().__init__(scale, "identity", event_shape, floor)

    def family(self, loc: Tensor, scale: Tensor, *more: Tensor) -> dist.TorchDistribution:
        """Return LogNormal(μ, σ)."""
        return dist.LogNormal(loc, scale)

    def initialise(self, x: Tensor) -> Tensor:
        """Start from the mean and spread of log x."""
        return super().initialise(torch.log(x))

    def inside(self, x: Tensor) -> Tensor:
        """Return whether x > 0."""
        return x > 0


class _PositiveWithConcentration(Observation):
    """What Gamma and Weibull share: a log link, and one shape parameter.

    Args:
        concentration: a positive number, ``shared``, ``per-feature`` or ``decoder``.
        event_shape: shape of one datum; needed for ``per-feature``.
        floor: least learned concentration as a fraction of the data's.
    """

    measure = Measure.LEBESGUE
    units = Units.OWN
    needs = "{x} above 0"

    def __init__(
        self,
        concentration: float | str = "shared",
        event_shape: tuple[int, ...] | None = None,
        floor: float = 1e-3,
    ) -> None:
        super().__init__()
        self.concentration = make_positive("concentration", concentration, event_shape, floor)
        self.outputs = 1 + self.concentration.outputs

    def inside(self, x: Tensor) -> Tensor:
        """Return whether x > 0."""
        return x > 0


def _inverse_variation(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return mean / standard deviation, of each feature or of all, at most a hundred."""
    mean, spread = (x.mean(0), x.std(0)) if shape else (x.mean(), x.std())
    return mean / torch.maximum(spread, 0.01 * mean)


class Gamma(_PositiveWithConcentration):
    r"""The Gamma density, by its mean μ = exp η and concentration α.

    .. math:: p(x \mid \eta) = \frac{\beta^\alpha x^{\alpha - 1} e^{-\beta x}}{\Gamma(\alpha)}, \qquad
              \beta = \alpha e^{-\eta}, \qquad x > 0

    Shapes: ``eta (*batch, *event, 1)``, or ``(…, 2)`` with ``concentration="decoder"``; x ``(*batch, *event)``.
    """

    equivalent = "exp + x / μ + log μ, with the concentration said aloud"

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Gamma(α, α / μ)."""
        log_mean, concentration = split(eta, self.concentration)
        return GammaDistribution(concentration, concentration * torch.exp(-log_mean))

    def initialise(self, x: Tensor) -> Tensor:
        """Start from the mean of each feature, and the concentration (mean / standard deviation)²."""
        self.concentration.initialise(lambda shape: _inverse_variation(x, shape).square())
        return outputs_of(torch.log(x.mean(0)), self.outputs)


class Weibull(_PositiveWithConcentration):
    r"""The Weibull density, by its scale λ = exp η and concentration k.

    .. math:: p(x \mid \eta) = \frac{k}{\lambda} \Big(\frac{x}{\lambda}\Big)^{k - 1} e^{-(x / \lambda)^k}, \qquad x > 0

    Shapes: ``eta (*batch, *event, 1)``, or ``(…, 2)`` with ``concentration="decoder"``; x ``(*batch, *event)``.
    """

    equivalent = "exp + (x / λ)ᵏ + k log λ"

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Weibull(λ, k)."""
        log_scale, concentration = split(eta, self.concentration)
        return WeibullDistribution(torch.exp(log_scale), concentration)

    def initialise(self, x: Tensor) -> Tensor:
        """Start from the mean of each feature, and the k of about the data's coefficient of variation."""
        # Justus et al. 1978: k ≈ (mean / standard deviation)^1.086
        self.concentration.initialise(lambda shape: _inverse_variation(x, shape).pow(1.086))
        return outputs_of(torch.log(x.mean(0)), self.outputs)
