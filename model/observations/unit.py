"""Data in the unit interval, besides the continuous Bernoulli."""

import math

import pyro.distributions as dist
import torch
from torch import Tensor
from torch.nn import functional as F

from model.distributions import Beta as BetaDistribution
from model.distributions import Kumaraswamy as KumaraswamyDistribution
from model.distributions import LogitNormal as LogitNormalDistribution
from model.distributions import TruncatedNormal as TruncatedNormalDistribution
from model.observations.base import Measure, Observation, Units, smoothed_mean
from model.observations.location_scale import LocationScale
from model.observations.parameters import make_positive, outputs_of, split

_OPEN = "{x} between 0 and 1, and neither of them"
_REMEDY = "declare wider bounds (--bounds LOW HIGH), spread levels out (--dequantise), or take continuous-bernoulli"


class _UnitWithConcentration(Observation):
    """What Beta and Kumaraswamy share: a sigmoid, and one shape parameter.

    Args:
        concentration: a positive number, ``shared``, ``per-feature`` or ``decoder``.
        event_shape: shape of one datum; needed for ``per-feature``.
        floor: least learned concentration as a fraction of the data's.
    """

    measure = Measure.LEBESGUE
    units = Units.UNIT_INTERVAL
    needs = _OPEN
    remedy = _REMEDY

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
        """Return whether 0 < x < 1."""
        return (x > 0) & (x < 1)


class Beta(_UnitWithConcentration):
    r"""The Beta density, by its mean μ = sigmoid η and concentration κ.

    .. math:: p(x \mid \eta) = \frac{x^{\alpha - 1} (1 - x)^{\beta - 1}}{B(\alpha, \beta)}, \qquad
              \alpha = \kappa \mu, \quad \beta = \kappa (1 - \mu), \qquad 0 < x < 1

    Shapes: ``eta (*batch, *event, 1)``, or ``(…, 2)`` with ``concentration="decoder"``; x ``(*batch, *event)``.
    """

    equivalent = "sigmoid + Beta NLL"

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Beta(κ μ, κ (1 − μ))."""
        logit, concentration = split(eta, self.concentration)
        return BetaDistribution(concentration * torch.sigmoid(logit), concentration * torch.sigmoid(-logit))

    def initialise(self, x: Tensor) -> Tensor:
        """Start from each feature's mean, and the concentration μ (1 − μ) / variance − 1, at least a tenth."""

        def estimate(shape: tuple[int, ...]) -> Tensor:
            mean, variance = (x.mean(0), x.var(0)) if shape else (x.mean(), x.var())
            return (mean * (1.0 - mean) / variance.clamp_min(1e-6) - 1.0).clamp_min(0.1)

        self.concentration.initialise(estimate)
        return outputs_of(torch.logit(smoothed_mean(x)), self.outputs)


class Kumaraswamy(_UnitWithConcentration):
    r"""The Kumaraswamy density, by its median m = sigmoid η and concentration b.

    .. math:: p(x \mid \eta) = a b \, x^{a - 1} (1 - x^a)^{b - 1}, \qquad
              a = \frac{\log(1 - 2^{-1/b})}{\log m}, \qquad 0 < x < 1

    Shapes: ``eta (*batch, *event, 1)``, or ``(…, 2)`` with ``concentration="decoder"``; x ``(*batch, *event)``.
    """

    equivalent = "sigmoid + Kumaraswamy NLL"

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Kumaraswamy(a, b)."""
        logit, b = split(eta, self.concentration)
        a = torch.log(-torch.expm1(-math.log(2.0) / b)) / F.logsigmoid(logit)
        return KumaraswamyDistribution(a, b)

    def initialise(self, x: Tensor) -> Tensor:
        """Start from each feature's mean for a median, and concentration 1."""
        self.concentration.initialise(lambda shape: x.new_ones(shape))
        return outputs_of(torch.logit(smoothed_mean(x)), self.outputs)


class LogitNormal(LocationScale):
    r"""The density of x whose logit is Normal.

    .. math:: p(x \mid \eta) = \frac{1}{x (1 - x)} \, \mathcal{N}(\operatorname{logit} x;\; \mu(\eta), \sigma^2),
              \qquad 0 < x < 1

    Arguments, shapes, errors: those of :class:`~model.observations.location_scale.LocationScale`, for logit x; there is
    no link.
    """

    units = Units.UNIT_INTERVAL
    needs = _OPEN
    remedy = _REMEDY
    equivalent = "sigmoid + squared error of logits"

    def __init__(
        self, scale: float | str = "shared", event_shape: tuple[int, ...] | None = None, floor: float = 1e-3
    ) -> None:
        super().__init__(scale, "identity", event_shape, floor)

    @property
    def _unit(self) -> Tensor | float:
        return self.spread

    def family(self, loc: Tensor, scale: Tensor, *more: Tensor) -> dist.TorchDistribution:
        """Return LogitNormal(μ, σ)."""
        return LogitNormalDistribution(loc, scale)

    def initialise(self, x: Tensor) -> Tensor:
        """Start from the mean and spread of logit x."""
        u = torch.logit(x)
        super().initialise(u)
        return outputs_of(u.mean(0) / self._unit, self.outputs)

    def inside(self, x: Tensor) -> Tensor:
        """Return whether 0 < x < 1."""
        return (x > 0) & (x < 1)


class TruncatedNormal(LocationScale):
    r"""The Normal density cut off outside [0, 1].

    .. math:: p(x \mid \eta) \propto \frac{1}{\sigma} \exp\Big(-\frac{(x - \mu(\eta))^2}{2 \sigma^2}\Big), \qquad
              0 \le x \le 1

    Arguments, shapes, errors: those of :class:`~model.observations.location_scale.LocationScale`; there is no link, and
    μ may lie outside.
    """

    units = Units.UNIT_INTERVAL
    needs = "{x} in [0, 1]"
    remedy = "declare the data's bounds (--bounds LOW HIGH), or take normal for data without bounds"
    equivalent = "identity + squared error, with what lies outside [0, 1] ruled out"

    def __init__(
        self, scale: float | str = "shared", event_shape: tuple[int, ...] | None = None, floor: float = 1e-3
    ) -> None:
        super().__init__(scale, "identity", event_shape, floor)

    def family(self, loc: Tensor, scale: Tensor, *more: Tensor) -> dist.TorchDistribution:
        """Return TruncatedNormal(μ, σ)."""
        return TruncatedNormalDistribution(loc, scale)

    def inside(self, x: Tensor) -> Tensor:
        """Return whether 0 ≤ x ≤ 1."""
        return (x >= 0) & (x <= 1)
