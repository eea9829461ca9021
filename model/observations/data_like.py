"""The properties of data that observations use."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

import torch
from torch import Tensor

from obsvae.errors import UsageError


class GridLike(Protocol):
    """The lattice low + step · k, k = 0 … levels − 1; without ends, k any whole number, where levels is None."""

    @property
    def low(self) -> float: ...  # noqa: D102 - named as the data have it
    @property
    def step(self) -> float: ...  # noqa: D102 - named as the data have it
    @property
    def levels(self) -> int | None: ...  # noqa: D102 - named as the data have it


class ScalingLike(Protocol):
    """The affine map x = offset + scale · u that the user chose."""

    @property
    def offset(self) -> Tensor: ...  # noqa: D102 - named as the data have it
    @property
    def scale(self) -> Tensor: ...  # noqa: D102 - named as the data have it


class ColumnLike(Protocol):
    """A column of a table."""

    @property
    def name(self) -> str: ...  # noqa: D102 - named as the data have it
    @property
    def kind(self) -> Enum: ...  # noqa: D102 - named as the data have it
    @property
    def observation(self) -> str: ...  # noqa: D102 - named as the data have it
    @property
    def bounds(self) -> tuple[float, float] | None: ...  # noqa: D102 - named as the data have it
    @property
    def grid(self) -> GridLike | None: ...  # noqa: D102 - named as the data have it


class ConditionLike(Protocol):
    """What a model is given beside x."""

    @property
    def width(self) -> int: ...  # noqa: D102 - named as the data have it
    @property
    def is_offset(self) -> bool: ...  # noqa: D102 - named as the data have it


class DataLike(Protocol):
    """The properties of data that observations use."""

    @property
    def event_shape(self) -> tuple[int, ...]: ...  # noqa: D102 - named as the data have it
    @property
    def unit_shape(self) -> tuple[int, ...]: ...  # noqa: D102 - named as the data have it
    @property
    def has_missing(self) -> bool: ...  # noqa: D102 - named as the data have it
    @property
    def bounds(self) -> tuple[float, float] | None: ...  # noqa: D102 - named as the data have it
    @property
    def grid(self) -> GridLike | None: ...  # noqa: D102 - named as the data have it
    @property
    def scaling(self) -> ScalingLike: ...  # noqa: D102 - named as the data have it
    @property
    def columns(self) -> Sequence[ColumnLike] | None: ...  # noqa: D102 - named as the data have it


@dataclass(frozen=True)
class Features:
    """The shapes that parameters and statistics of a family take from the data.

    Attributes:
        event_shape: that of one datum; None where it is not known.
        unit_shape: that of statistics, which broadcasts to it: 1 along axes whose entries share a unit.
    """

    event_shape: tuple[int, ...] | None = None
    unit_shape: tuple[int, ...] = ()

    @classmethod
    def of(cls, data: DataLike | None) -> "Features":
        """Return those of data, or unknown ones."""
        return cls() if data is None else cls(data.event_shape, data.unit_shape)


# What to do where a family takes levels, and the data declare none.
CODES = (
    "save the codes of the levels as integers 0, 1, … (of one-hot columns x.argmax(-1, keepdims=True)), from which the "
    "number of levels is taken"
)


def levels_of(name: str, data: DataLike | None, remedy: str) -> int:
    """Return the number of levels of the data's grid.

    Raises:
        UsageError: where the data declare no grid, or one without ends.
    """
    if data is None or data.grid is None or data.grid.levels is None:
        raise UsageError(
            f"{name} needs data on a grid with a first and a last value, such as integers, but these declare none; "
            f"{remedy}"
        )
    return data.grid.levels


@dataclass(frozen=True)
class _Identity:
    offset: Tensor = field(default_factory=lambda: torch.zeros(()))
    scale: Tensor = field(default_factory=lambda: torch.ones(()))


@dataclass(frozen=True)
class View:
    """The data as an inner observation sees them: by default with their shape and units alone."""

    event_shape: tuple[int, ...]
    unit_shape: tuple[int, ...]
    bounds: tuple[float, float] | None = None
    grid: GridLike | None = None
    scaling: ScalingLike = field(default_factory=_Identity)
    has_missing: bool = False
    columns: Sequence[ColumnLike] | None = None
