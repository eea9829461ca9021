"""The support of an observation, and its units."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial

import torch
from torch import Tensor


class Units(Enum):
    """The units in which a family works; the data's description gives the affine map from data units to them."""

    SCALED = "the data's own units, or the scaling that the user chose"
    UNIT_INTERVAL = "[0, 1]"
    LEVELS = "the integers 0, 1, ..., C - 1"
    OWN = "the data's own units, unscaled"
    CIRCLE = "angles from -pi to pi"


@dataclass(frozen=True)
class Support:
    """The values of x that an observation takes.

    Attributes:
        words: what x has to be, with ``{x}`` where x stands.
        contains: returns, elementwise, whether x lies inside.
        units: those that x is in.
        remedy: what to do about data outside.
        is_real_line: whether any real number lies inside.
    """

    words: str
    contains: Callable[[Tensor], Tensor]
    units: Units = Units.OWN
    remedy: str = "remove or replace those entries"
    is_real_line: bool = False

    def within(self, units: Units) -> "Support":
        """Return the same support in other units."""
        return replace(self, units=units)


def _is_unit_interval(x: Tensor) -> Tensor:
    return (x >= 0) & (x <= 1)


def _is_open_interval(x: Tensor) -> Tensor:
    return (x > 0) & (x < 1)


def _is_positive(x: Tensor) -> Tensor:
    return x > 0


def _is_count(x: Tensor) -> Tensor:
    return (x >= 0) & (x == x.round())


def _is_angle(x: Tensor) -> Tensor:
    return x.abs() <= math.pi * (1.0 + 1e-6)  # -pi and pi in float32 lie outside by rounding


REAL_LINE = Support("{x} finite", torch.isfinite, Units.SCALED, is_real_line=True)
UNIT_INTERVAL = Support(
    "{x} in [0, 1]",
    _is_unit_interval,
    Units.UNIT_INTERVAL,
    "declare the data's bounds (bounds=(low, high)), or take normal for data without bounds",
)
OPEN_INTERVAL = Support(
    "{x} strictly between 0 and 1",
    _is_open_interval,
    Units.UNIT_INTERVAL,
    "declare wider bounds (bounds=(low, high)), spread integers out (dequantise=True), or take continuous-bernoulli",
)
POSITIVE = Support(
    "{x} above 0",
    _is_positive,
    remedy="take zero-inflated where the others are 0, or a family for any real number such as normal",
)
COUNTS = Support(
    "{x} a whole number from 0",
    _is_count,
    remedy="take a family for real numbers such as normal or, for positive ones, gamma",
)
ANGLES = Support(
    "{x} between -pi and pi",
    _is_angle,
    Units.CIRCLE,
    "declare the bounds of one turn (bounds=(low, high)), or take normal for data that do not wrap round",
)


def _is_count_up_to(x: Tensor, last: int) -> Tensor:
    return _is_count(x) & (x <= last)


def whole_numbers(last: int, remedy: str) -> Support:
    """Return the support 0, 1, …, ``last``."""
    words = f"{{x}} a whole number from 0 to {last}"
    return Support(words, partial(_is_count_up_to, last=last), Units.LEVELS, remedy)
