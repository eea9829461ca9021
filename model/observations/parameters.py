"""Positive parameters: fixed, learned for all features, for each unit or each feature, or from the decoder."""

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from obsvae.errors import UsageError
from obsvae.model.observations.data_like import Features
from obsvae.module import TypedModule
from obsvae.names import lookup
from obsvae.options import NUMBER, NUMBER_OR_WORD, Option
from obsvae.units import mean_of, variance_of, varies

SCALE = Option("scale", NUMBER_OR_WORD, "per-unit")
FLOOR = Option("floor", NUMBER, 1e-3)

# softplus(raw + _SHIFT) is 1 at raw = 0: a learned parameter starts where the data put it.
_SHIFT = math.log(math.e - 1.0)


class Positive(TypedModule):
    r"""A positive parameter of a family, such as a scale σ.

    .. math:: \text{value} = \text{start} \cdot (\text{floor} + \operatorname{softplus}(\text{raw} + \log(e - 1)))

    so that raw = 0 is where the training data put it, in their own unit.

    Args:
        shape: that of ``start``.
        floor: least value of a learned one, as a fraction of ``start``. Without a floor on its scale the density of a
            constant feature has no upper bound.

    Attributes:
        outputs: how many decoder outputs per feature it takes.
        start: the value at raw = 0, from the training data.
    """

    outputs = 0
    start: Tensor

    def __init__(self, shape: tuple[int, ...] = (), floor: float = 1e-3) -> None:
        if not (floor > 0 and math.isfinite(floor)):
            raise UsageError(f"a floor must be positive and finite, but got {floor:g}")
        super().__init__()
        self.floor = floor
        self.register_buffer("start", torch.ones(shape))

    @abstractmethod
    def forward(self, raw: Tensor) -> Tensor:
        """Return the value, broadcastable to ``(*batch, *event)``.

        Args:
            raw: its own decoder outputs, ``(*batch, *event, outputs)``.
        """

    def initialise(self, estimate: Callable[[tuple[int, ...]], Tensor]) -> None:
        """Set ``start`` to ``estimate(shape)``, which comes from the training data."""
        self.start.copy_(estimate(self.start.shape))

    def describe(self) -> object:
        """Return the value of a fixed or learned one, its range where it has several, None where it is decoded."""
        if self.outputs:
            return None
        value = self(self.start.new_zeros(0)).detach()
        return value.item() if value.ndim == 0 else [value.min().item(), value.max().item()]

    def _learned(self, raw: Tensor) -> Tensor:
        return self.start * (self.floor + F.softplus(raw + _SHIFT))


class Fixed(Positive):
    """A given number, in the units that the family works in; ``name`` is what the family calls it."""

    def __init__(self, name: str, value: float) -> None:
        if not 1e-15 <= value <= 1e15:  # float32 has to hold its square
            raise UsageError(f"a fixed {name} must be positive, from 1e-15 to 1e15, but got {value:g}")
        super().__init__()
        self.value = value

    def forward(self, raw: Tensor) -> Tensor:
        """Return the number."""
        return raw.new_tensor(self.value)


class Learned(Positive):
    """A parameter of its own: one number, in multiples of each unit's start, or one for each unit or each feature.

    Args:
        unit_shape: that of ``start``.
        shape: that of the numbers, ``()``, that of the units, or that of a datum.
        floor: as :class:`Positive` has it.
    """

    def __init__(self, unit_shape: tuple[int, ...] = (), shape: tuple[int, ...] = (), floor: float = 1e-3) -> None:
        super().__init__(unit_shape, floor)
        self.raw = nn.Parameter(torch.zeros(shape))

    def forward(self, raw: Tensor) -> Tensor:
        """Return the numbers."""
        return self._learned(self.raw)


class FromDecoder(Positive):
    """An output of the decoder: it depends on z."""

    outputs = 1

    def forward(self, raw: Tensor) -> Tensor:
        """Return the value of each entry, ``(*batch, *event)``."""
        return self._learned(raw.squeeze(-1))


def make_positive(
    name: str,
    value: float | str,
    features: Features,
    floor: float,
    more: Mapping[str, Callable[[], Positive]] | None = None,
) -> Positive:
    """Return the parameter that a number or a word describes.

    Args:
        name: what the family calls it, for messages.
        value: a positive number (fixed); ``shared``, one learned in multiples of each unit's start; ``per-unit``,
            ``per-feature``, one learned for each; or ``decoder``.
        features: shapes of a datum and of its units.
        floor: least value of a learned one as a fraction of its start.
        more: further sources that the family has, by word.
    """
    if not isinstance(value, str):
        return Fixed(name, value)
    event, unit = features.event_shape, features.unit_shape
    if event is None and value == "per-feature":
        raise UsageError(f"{name}=per-feature needs the shape of a datum; pass the data to make_observation")
    sources: dict[str, Callable[[], Positive]] = {
        "per-unit": lambda: Learned(unit, unit, floor),
        "shared": lambda: Learned(unit, (), floor),
        "per-feature": lambda: Learned(unit, event or (), floor),
        "decoder": lambda: FromDecoder(unit, floor),
        **(more or {}),
    }
    return lookup(f"{name} (a positive number or a word)", value, sources)()


def split(eta: Tensor, *parameters: Positive) -> tuple[Tensor, ...]:
    """Return the first output of ``eta (*batch, *event, outputs)``, and the value of each parameter from the next."""
    values, at = [eta[..., 0]], 1
    for parameter in parameters:
        values.append(parameter(eta[..., at : at + parameter.outputs]))
        at += parameter.outputs
    return tuple(values)


def spread_of(x: Tensor, shape: tuple[int, ...], has_size: bool = True) -> Tensor:
    """Return the standard deviation of each unit of x ``(N, *event)``, over entries that are not NaN.

    A constant unit has none: its size stands in, where that means something, or else the deviation of all. The size of
    a logarithm means nothing: it depends on the unit.

    Raises:
        UsageError: where all of x is one value.
    """
    overall = variance_of(x, ()).sqrt()
    if not overall > 0:
        raise UsageError(f"a scale starts from the spread of the data, but all {x.numel()} of their entries are equal")
    if not shape:
        return overall
    size = mean_of(x, shape).abs()
    instead = torch.where(size > 0, size, overall) if has_size else overall
    return torch.where(varies(x, shape), variance_of(x, shape).sqrt(), instead)


def outputs_of(location: Tensor, outputs: int) -> Tensor:
    """Return initial outputs ``(*event, outputs)``: the location's first, and zeros, at which parameters start."""
    eta = location.new_zeros(*location.shape, outputs)
    eta[..., 0] = location
    return eta


def inverse_variation(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return mean / standard deviation of each unit, at most a thousand."""
    mean = mean_of(x, shape)
    return mean / torch.maximum(variance_of(x, shape).sqrt(), 0.001 * mean)


def inverse_softplus(value: Tensor) -> Tensor:
    """Return log(eᵛ − 1), where eᵛ may overflow."""
    return value + torch.log(-torch.expm1(-value))
