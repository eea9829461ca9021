"""Families with a location and a scale, on the real line."""

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple, Self

import torch
from torch import Tensor
from torch.nn import functional as F

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.model.observations.base import Observation, smoothed_mean
from obsvae.model.observations.data_like import DataLike
from obsvae.model.observations.measure import Measure
from obsvae.model.observations.option import WORD, Option
from obsvae.model.observations.parameters import (
    FLOOR,
    SCALE,
    Positive,
    inverse_softplus,
    make_positive,
    outputs_of,
    split,
    spread_of,
    statistics_shape,
)
from obsvae.model.observations.support import REAL_LINE, Units
from obsvae.names import lookup


class Link(NamedTuple):
    """An inverse link η ↦ μ (for data with spread 1), its inverse μ ↦ η, and the units it works in.

    ``means`` is the range of μ, and ``remedy`` what to do about data whose means lie outside.
    """

    inverse: Callable[[Tensor], Tensor]
    link: Callable[[Tensor], Tensor]
    units: Units
    means: tuple[float, float] = (-math.inf, math.inf)
    remedy: str = ""


def _sigmoid(eta: Tensor) -> Tensor:
    """Return the sigmoid: torch rounds its derivatives to 0 for η above 17, where an output would stay for ever."""
    return torch.exp(-F.softplus(-eta))


def _inverse_softplus(mu: Tensor) -> Tensor:
    return inverse_softplus(mu.clamp_min(1e-3))  # a mean of less than a thousandth of the spread starts there


LINKS = {
    "identity": Link(lambda eta: eta, lambda mu: mu, Units.SCALED),
    "sigmoid": Link(
        _sigmoid,
        torch.logit,
        Units.UNIT_INTERVAL,
        (0.0, 1.0),
        "declare the data's bounds (bounds=(low, high)), or take link=identity",
    ),
    "softplus": Link(
        F.softplus,
        _inverse_softplus,
        Units.SCALED,
        (0.0, math.inf),
        "leave out the scaling where there is one, or take link=identity",
    ),
}

LINK = Option("link", WORD, "identity")


class LocationScale(Observation):
    r"""A family of densities on the real line with location μ(η) and scale σ.

    .. math:: p(x \mid \eta) = \frac{1}{\sigma} \, f\Big(\frac{x - \mu(\eta)}{\sigma}\Big)

    With the links ``identity`` and ``softplus`` the location is in multiples of the training data's standard deviation,
    μ = spread · link⁻¹(η), so that learning does not depend on the unit of x; the density is over x all the same.
    Vectors have a spread for each feature, as columns of a table have units of their own; images have one.

    Subclasses give f, by :meth:`family`.

    Shapes: ``eta (*batch, *event, outputs)``, with an output more for each parameter that is ``decoder``;
    x ``(*batch, *event)``.

    Args:
        scale: a positive number (fixed, in the units that the family sees), ``shared`` (one learned), ``per-feature``
            (learned) or ``decoder`` (a second output).
        link: ``identity``; ``sigmoid`` for a location in (0, 1); ``softplus`` for a positive location.
        event_shape: shape of one datum; needed for ``per-feature``, and for a spread of each feature of a vector.
        floor: least learned scale as a fraction of the training data's standard deviation.

    Raises:
        UsageError: for an unknown scale or link, or a scale that is not positive.
    """

    measure = Measure.LEBESGUE
    support = REAL_LINE
    options: ClassVar[tuple[Option, ...]] = (SCALE, LINK, FLOOR)
    has_size = True  # whether the size of what μ locates means anything, as that of a logarithm does not
    spread: Tensor

    def __init__(
        self,
        scale: float | str = "shared",
        link: str = "identity",
        event_shape: tuple[int, ...] | None = None,
        floor: float = 1e-3,
    ) -> None:
        super().__init__()
        self.link = lookup("link", link, LINKS)
        if self.support.is_real_line:  # else the family has units of its own
            self.support = self.support.within(self.link.units)
        self.scale = make_positive("scale", scale, event_shape, floor, self._scales(floor))
        self.outputs = 1 + self.scale.outputs
        self.register_buffer("spread", torch.ones(statistics_shape(event_shape)))

    @classmethod
    def for_data(cls, data: DataLike | None, **options: Any) -> Self:
        """Return the family for data of this shape."""
        return cls(**options, event_shape=None if data is None else data.event_shape)

    @abstractmethod
    def family(self, loc: Tensor, scale: Tensor, *more: Tensor) -> Distribution:
        """Return the distribution with a location, a scale, and what other parameters the family has."""

    @property
    def _positive(self) -> tuple[Positive, ...]:
        return (self.scale,)

    def _scales(self, floor: float) -> Mapping[str, Callable[[], Positive]]:
        """Return further sources of the scale, by word."""
        return {}

    @property
    def _unit(self) -> Tensor | float:
        return 1.0 if self.support.units is Units.UNIT_INTERVAL else self.spread

    def loc(self, eta: Tensor) -> Tensor:
        """Return μ, ``(*batch, *event)``."""
        return self._unit * self.link.inverse(eta[..., 0])

    def forward(self, eta: Tensor) -> Distribution:
        """Return the family at μ(eta) and σ(eta)."""
        _, scale, *more = split(eta, *self._positive)
        return self.family(self.loc(eta), scale, *more)

    def initialise(self, x: Tensor) -> Tensor:
        """Set the spread, and return outputs that put μ at each feature's mean and σ at the spread."""
        self._check_means(x)
        self.spread.copy_(spread_of(x, self.spread.shape, self.has_size))
        self.scale.initialise(lambda shape: spread_of(x, shape, self.has_size))
        mean = smoothed_mean(x) if self.support.units is Units.UNIT_INTERVAL else x.mean(0) / self._unit
        return outputs_of(self.link.link(mean), self.outputs)

    def _check_means(self, x: Tensor) -> None:
        # x itself may lie anywhere, as the family's own samples do; a mean that μ cannot reach is a link ill chosen.
        low, high = self.link.means
        means = x.mean(0)
        outside = means[(means < low) | (means > high)]
        if len(outside):
            raise UsageError(
                f"{self.name} with this link has its mean between {low:g} and {high:g}, but {len(outside)} features "
                f"have means such as {outside[0].item():g}; {self.link.remedy}"
            )
