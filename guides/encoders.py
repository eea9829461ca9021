"""Encoders: networks from a datum x to the parameters of q(z | x)."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from obsvae.errors import UsageError
from obsvae.module import TypedModule
from obsvae.units import mean_of, unit_shape_of, usual_units, variance_of


class Encoder(TypedModule):
    """A network that standardises x by training statistics and maps it to raw outputs.

    Each unit has a mean and a standard deviation.

    Args:
        event_shape: shape of one datum.
        outputs: number of raw outputs.
        unit_shape: shape of the statistics, with 1 for axes whose entries share a unit; by default columns of vectors
            and channels of images have a unit each, and other images have one.

    Shapes: ``(*batch, *event)`` to ``(*batch, outputs)``.
    """

    offset: Tensor
    scale: Tensor
    initialised: Tensor

    def __init__(self, event_shape: Sequence[int], outputs: int, unit_shape: Sequence[int] | None = None) -> None:
        super().__init__()
        self.event_shape, self.outputs = torch.Size(event_shape), outputs
        statistics = unit_shape_of(event_shape, usual_units(event_shape)) if unit_shape is None else unit_shape
        self.register_buffer("offset", torch.zeros(tuple(statistics)))
        self.register_buffer("scale", torch.ones(tuple(statistics)))
        self.register_buffer("initialised", torch.tensor(False))

    if TYPE_CHECKING:

        def __call__(self, x: Tensor) -> Tensor:
            """Return the raw outputs, as :meth:`forward` does."""

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Take the mean and standard deviation of training data x ``(N, *event)``."""
        self._check(x.shape[1:])
        self.offset.copy_(mean_of(x, self.offset.shape))
        spread = variance_of(x, self.scale.shape).sqrt()
        # A constant unit is 0 once its mean is taken off, whatever it is divided by.
        self.scale.copy_(torch.where(spread > 0, spread, 1.0))
        self.initialised.fill_(True)

    def forward(self, x: Tensor) -> Tensor:
        """Return the raw outputs for x in data units."""
        self._check(x.shape[x.ndim - len(self.event_shape) :])
        return self.network((x - self.offset) / self.scale)

    def _check(self, shape: torch.Size) -> None:
        if shape != self.event_shape:
            needed = tuple(self.event_shape)
            raise UsageError(f"the encoder was built for data of shape {needed}, but got {tuple(shape)}")

    @abstractmethod
    def network(self, x: Tensor) -> Tensor:
        """Return the raw outputs for standardised x."""


class MLPEncoder(Encoder):
    """Fully connected layers with ReLU between them.

    Args:
        event_shape: shape of one datum.
        outputs: number of raw outputs.
        hidden: widths of the hidden layers, from x to z.
        unit_shape: as :class:`Encoder` has it.
    """

    def __init__(
        self,
        event_shape: Sequence[int],
        outputs: int,
        hidden: Sequence[int] = (300, 300),
        unit_shape: Sequence[int] | None = None,
    ) -> None:
        super().__init__(event_shape, outputs, unit_shape)
        width = math.prod(event_shape)
        layers: list[nn.Module] = []
        for width_in, width_out in zip([width, *hidden], hidden, strict=False):
            layers += [nn.Linear(width_in, width_out), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear([width, *hidden][-1], outputs))

    def network(self, x: Tensor) -> Tensor:
        """Return the raw outputs for standardised x."""
        return self.layers(x.flatten(-len(self.event_shape)))


class ConvEncoder(Encoder):
    """Convolutions, each of which halves rows and columns, for images ``(rows, columns)`` or with channels first.

    Args:
        event_shape: ``(rows, columns)`` or ``(channels, rows, columns)``.
        outputs: number of raw outputs.
        hidden: channels of the stages, from x to z.
        unit_shape: as :class:`Encoder` has it.

    Raises:
        UsageError: where a datum is not an image.
    """

    def __init__(
        self,
        event_shape: Sequence[int],
        outputs: int,
        hidden: Sequence[int] = (32, 64),
        unit_shape: Sequence[int] | None = None,
    ) -> None:
        if len(event_shape) not in (2, 3):
            raise UsageError(f"conv needs images, but a datum has shape {tuple(event_shape)}; take architecture mlp")
        if not hidden:
            raise UsageError("a convolutional encoder needs at least one hidden stage")
        super().__init__(event_shape, outputs, unit_shape)
        self.image = (1, *event_shape)[-3:]
        channels, rows, columns = self.image
        stages: list[nn.Module] = []
        for c_in, c_out in zip([channels, *hidden], hidden, strict=False):
            stages += [nn.Conv2d(c_in, c_out, 3, stride=2, padding=1), nn.ReLU()]
            rows, columns = math.ceil(rows / 2), math.ceil(columns / 2)
        self.stages = nn.Sequential(*stages)
        self.head = nn.Linear(hidden[-1] * rows * columns, outputs)

    def network(self, x: Tensor) -> Tensor:
        """Return the raw outputs for standardised x."""
        batch = x.shape[: -len(self.event_shape)]
        maps = self.stages(x.reshape(-1, *self.image))
        return self.head(maps.flatten(1)).reshape(*batch, self.outputs)
