"""Where a scale parameter comes from: fixed, shared, per feature, the decoder, or the optimum."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.lookup import lookup

# softplus(raw + _SHIFT) is 1 at raw = 0: a learned scale starts at the spread of the data.
_SHIFT = math.log(math.e - 1.0)


def positive(raw: Tensor, spread: Tensor, floor: float) -> Tensor:
    """Return spread · (floor + softplus(raw + log(e − 1))): positive, equal to about ``spread`` at raw = 0."""
    return spread * (floor + F.softplus(raw + _SHIFT))


def spread_shape(event_shape: tuple[int, ...] | None) -> tuple[int, ...]:
    """Return the shape of the spread of data: one for each feature of a vector, one for all of an image."""
    return event_shape if event_shape is not None and len(event_shape) == 1 else ()


def spread_of(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return the standard deviation of x ``(N, *event)``, of each feature or of all, as ``shape`` says.

    A constant feature has none: its size stands in, or where it is 0 the deviation of all.

    Raises:
        ValueError: where all of x is one value.
    """
    overall = x.std()
    if not overall > 0:
        raise ValueError(f"a scale starts from the spread of the data, but all {x.numel()} of their entries are equal")
    if not shape:
        return overall
    size = x[0].abs()
    instead = torch.where(size > 0, size, overall)
    return torch.where(x.amax(0) > x.amin(0), x.std(0), instead)


class Scale(nn.Module, ABC):
    """The scale σ of a location-scale family.

    Args:
        shape: that of ``spread``, the standard deviation of the training data.
        floor: least value of a learned scale, as a fraction of ``spread``. Without a floor the density of a constant
            feature has no upper bound.

    Attributes:
        outputs: how many decoder outputs per feature it takes, beside the location's.
    """

    outputs = 0
    spread: Tensor

    def __init__(self, shape: tuple[int, ...] = (), floor: float = 1e-3) -> None:
        if not (floor > 0 and math.isfinite(floor)):
            raise ValueError(f"a scale's floor must be positive and finite, but got {floor:g}")
        super().__init__()
        self.floor = floor
        self.register_buffer("spread", torch.ones(shape))

    @abstractmethod
    def forward(self, raw: Tensor) -> Tensor:
        """Return σ, broadcastable to ``(*batch, *event)``.

        Args:
            raw: the decoder outputs beyond the location's, ``(*batch, *event, outputs)``.
        """

    def initialise(self, x: Tensor) -> None:
        """Set ``spread`` from training data x ``(N, *event)``."""
        self.spread.copy_(spread_of(x, self.spread.shape))

    def update(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Estimate from pairs (location, x) over the training set, where the scale is estimated so."""


class Fixed(Scale):
    """σ is a given number, in the units that the family works in."""

    def __init__(self, value: float) -> None:
        if not 1e-15 <= value <= 1e15:  # float32 has to hold its square
            raise ValueError(f"a fixed scale must be positive, from 1e-15 to 1e15, but got {value:g}")
        super().__init__()
        self.value = value

    def forward(self, raw: Tensor) -> Tensor:
        """Return the number."""
        return raw.new_tensor(self.value)


class Shared(Scale):
    """One learned σ for all features."""

    def __init__(self, floor: float = 1e-3) -> None:
        super().__init__((), floor)
        self.raw = nn.Parameter(torch.zeros(()))

    def forward(self, raw: Tensor) -> Tensor:
        """Return the learned scalar."""
        return positive(self.raw, self.spread, self.floor)


class PerFeature(Scale):
    """A learned σ for each feature."""

    def __init__(self, event_shape: tuple[int, ...], floor: float = 1e-3) -> None:
        super().__init__(spread_shape(event_shape), floor)
        self.raw = nn.Parameter(torch.zeros(event_shape))

    def forward(self, raw: Tensor) -> Tensor:
        """Return the learned scales, ``event``."""
        return positive(self.raw, self.spread, self.floor)


class FromDecoder(Scale):
    """σ is a second output of the decoder: it depends on z."""

    outputs = 1

    def forward(self, raw: Tensor) -> Tensor:
        """Return the scale of each entry, ``(*batch, *event)``."""
        return positive(raw.squeeze(-1), self.spread, self.floor)


class Optimal(Scale):
    """One σ, the maximum-likelihood estimate: from the batch in training, from the training set in evaluation.

    In training it returns its floor, for :class:`model.distributions.ProfileNormal` to apply.

    Reference: Rybkin, Daniilidis and Levine 2021, section 3.
    """

    value: Tensor

    def __init__(self, floor: float = 1e-3) -> None:
        super().__init__((), floor)
        self.register_buffer("value", torch.ones(()))

    def forward(self, raw: Tensor) -> Tensor:
        """Return the training set's σ̂, or the floor while training."""
        return self.spread * self.floor if self.training else self.value

    def initialise(self, x: Tensor) -> None:
        """Start from the spread of the data."""
        super().initialise(x)
        self.value.copy_(self.spread)

    def update(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Set σ̂² to the mean squared error over the training set, no less than the floor's square."""
        total, count = 0.0, 0
        for loc, x in batches:
            total += (x - loc).double().square().sum().item()
            count += x.numel()
        self.value.fill_(max(math.sqrt(total / count), self.floor * self.spread.item()))


def make_scale(scale: float | str, event_shape: tuple[int, ...] | None, floor: float) -> Scale:
    """Return the scale that a number or a word names.

    Args:
        scale: a positive number (fixed), or ``shared``, ``per-feature``, ``decoder``, ``optimal``.
        event_shape: shape of one datum; needed for ``per-feature``.
        floor: least learned scale as a fraction of the data's standard deviation.
    """
    if not isinstance(scale, str):
        return Fixed(scale)
    if event_shape is None and scale == "per-feature":
        raise ValueError("scale=per-feature needs the shape of a datum; pass the data to make_observation")
    scales: dict[str, Callable[[], Scale]] = {
        "shared": lambda: Shared(floor),
        "per-feature": lambda: PerFeature(event_shape or (), floor),
        "decoder": lambda: FromDecoder(spread_shape(event_shape), floor),
        "optimal": lambda: Optimal(floor),
    }
    return lookup("scale (a positive number or a word)", scale, scales)()
