"""What an observation must know of data."""

from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor


class GridLike(Protocol):
    """The lattice low + step · k, k = 0 … levels − 1."""

    @property
    def low(self) -> float: ...  # noqa: D102 - named as the data have it
    @property
    def step(self) -> float: ...  # noqa: D102 - named as the data have it
    @property
    def levels(self) -> int: ...  # noqa: D102 - named as the data have it


class ScalingLike(Protocol):
    """The affine map x = offset + scale · u that the user chose."""

    @property
    def offset(self) -> Tensor: ...  # noqa: D102 - named as the data have it
    @property
    def scale(self) -> Tensor: ...  # noqa: D102 - named as the data have it


class DataLike(Protocol):
    """What an observation must know of the data."""

    @property
    def event_shape(self) -> tuple[int, ...]: ...  # noqa: D102 - named as the data have it
    @property
    def bounds(self) -> tuple[float, float] | None: ...  # noqa: D102 - named as the data have it
    @property
    def grid(self) -> GridLike | None: ...  # noqa: D102 - named as the data have it
    @property
    def scaling(self) -> ScalingLike: ...  # noqa: D102 - named as the data have it


@dataclass(frozen=True)
class _Identity:
    offset: Tensor = field(default_factory=lambda: torch.zeros(()))
    scale: Tensor = field(default_factory=lambda: torch.ones(()))


@dataclass(frozen=True)
class View:
    """The data as an inner observation sees them: by default with their shape alone."""

    event_shape: tuple[int, ...]
    bounds: tuple[float, float] | None = None
    grid: GridLike | None = None
    scaling: ScalingLike = field(default_factory=_Identity)
