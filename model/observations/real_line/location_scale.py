"""Families with a location and a scale, on the real line."""

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Self

import torch
from torch import Tensor
from torch.nn import functional as F

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.model.observations.base import Observation, smoothed_mean
from obsvae.model.observations.data_like import DataLike, Features
from obsvae.model.observations.measure import Measure
from obsvae.model.observations.parameters import (
    FLOOR,
    SCALE,
    Positive,
    inverse_softplus,
    make_positive,
    outputs_of,
    split,
    spread_of,
)
from obsvae.model.observations.support import REAL_LINE, Units
from obsvae.names import lookup
from obsvae.options import WORD, Option
from obsvae.units import mean_of


class Link(NamedTuple):
    """An inverse link η ↦ μ (for data with spread 1), its inverse μ ↦ η, and the units it works in.

    ``means`` is the range of μ, ``remedy`` what to do about data whose means lie outside, and ``is_centred`` whether
    η = 0 is the middle of the data.
    """

    inverse: Callable[[Tensor], Tensor]
    link: Callable[[Tensor], Tensor]
    units: Units
    means: tuple[float, float] = (-math.inf, math.inf)
    remedy: str = ""
    is_centred: bool = False


def _sigmoid(eta: Tensor) -> Tensor:
    """Return the sigmoid: torch rounds its derivatives to 0 for η above 17, where an output would stay for ever."""
    return torch.exp(-F.softplus(-eta))


def _inverse_softplus(mu: Tensor) -> Tensor:
    return inverse_softplus(mu.clamp_min(1e-3))  # a mean of less than a thousandth of the spread starts there


LINKS = {
    "identity": Link(lambda eta: eta, lambda mu: mu, Units.SCALED, is_centred=True),
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

    With the link ``identity`` the location is μ = centre + spread · η, with mean and standard deviation of each unit in
    the training data, and with ``softplus`` μ = spread · softplus(η), so that learning depends neither on the unit of x
    nor, with ``identity``, on where 0 lies; the density is over x all the same. Columns of a table have units of their
    own, and the pixels of an image share one.

    Subclasses give f, by :meth:`family`.

    Shapes: ``eta (*batch, *event, outputs)``, with an output more for each parameter that is ``decoder``;
    x ``(*batch, *event)``.

    Args:
        scale: a positive number (fixed, in the units that the family sees), ``shared`` (one learned, in multiples of
            each unit's spread), ``per-unit`` or ``per-feature`` (one learned for each), or ``decoder`` (an output).
        link: ``identity``; ``sigmoid`` for a location in (0, 1); ``softplus`` for a positive location.
        features: shapes of a datum and of its units.
        floor: least learned scale as a fraction of the unit's standard deviation.

    Raises:
        UsageError: for an unknown scale or link, or a scale that is not positive.
    """

    measure = Measure.LEBESGUE
    support = REAL_LINE
    options: ClassVar[tuple[Option, ...]] = (SCALE, LINK, FLOOR)
    has_size = True  # whether the size of what μ locates means anything, as that of a logarithm does not
    centre: Tensor
    spread: Tensor

    def __init__(
        self,
        scale: float | str = "per-unit",
        link: str = "identity",
        features: Features = Features(),
        floor: float = 1e-3,
    ) -> None:
        super().__init__()
        self.link = lookup("link", link, LINKS)
        if self.support.is_real_line:  # else the family has units of its own
            self.support = self.support.within(self.link.units)
        self.scale = make_positive("scale", scale, features, floor, self._scales(features, floor))
        self.outputs = 1 + self.scale.outputs
        self.register_buffer("centre", torch.zeros(features.unit_shape))
        self.register_buffer("spread", torch.ones(features.unit_shape))

    @classmethod
    def for_data(cls, data: DataLike | None, **options: Any) -> Self:
        """Return the family for data of this shape."""
        return cls(**options, features=Features.of(data))

    @abstractmethod
    def family(self, loc: Tensor, scale: Tensor, *more: Tensor) -> Distribution:
        """Return the distribution with a location, a scale, and what other parameters the family has."""

    @property
    def _positive(self) -> tuple[Positive, ...]:
        return (self.scale,)

    def _scales(self, features: Features, floor: float) -> Mapping[str, Callable[[], Positive]]:
        """Return further sources of the scale, by word."""
        return {}

    @property
    def _is_in_unit_interval(self) -> bool:
        """Whether μ needs neither centre nor spread."""
        return self.support.units is Units.UNIT_INTERVAL

    def loc(self, eta: Tensor) -> Tensor:
        """Return μ, ``(*batch, *event)``."""
        mu = self.link.inverse(eta[..., 0])
        return mu if self._is_in_unit_interval else self.centre + self.spread * mu

    def forward(self, eta: Tensor) -> Distribution:
        """Return the family at μ(eta) and σ(eta)."""
        _, scale, *more = split(eta, *self._positive)
        return self.family(self.loc(eta), scale, *more)

    def initialise(self, x: Tensor) -> Tensor:
        """Set centre and spread, and return outputs that put μ at each feature's mean and σ at the spread."""
        self._check_means(x)
        if self.link.is_centred:
            self.centre.copy_(self._centre_of(x, self.centre.shape))
        self.spread.copy_(self._spread_of(x, self.spread.shape))
        self.scale.initialise(lambda shape: self._spread_of(x, shape))
        if self._is_in_unit_interval:
            location = smoothed_mean(x)
        else:
            location = (self._centre_of(x, x.shape[1:]) - self.centre) / self.spread
        return outputs_of(self.link.link(location), self.outputs)

    def _centre_of(self, x: Tensor, shape: Sequence[int]) -> Tensor:
        """Return where x ``(N, *event)`` lies, in the shape of statistics."""
        return mean_of(x, shape)

    def _spread_of(self, x: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Return how far x ``(N, *event)`` spreads, likewise."""
        return spread_of(x, shape, self.has_size)

    def _check_means(self, x: Tensor) -> None:
        # x itself may lie anywhere, as the family's own samples do; a mean that μ cannot reach is a link ill chosen.
        low, high = self.link.means
        means = x.nanmean(0)
        outside = means[(means < low) | (means > high)]
        if len(outside):
            raise UsageError(
                f"{self.name} with this link has its mean between {low:g} and {high:g}, but {len(outside)} features "
                f"have means such as {outside[0].item():g}; {self.link.remedy}"
            )
