"""Encoders: networks from a datum x to the parameters of q(z | x)."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from obsvae.errors import UsageError
from obsvae.module import TypedModule


class Encoder(TypedModule):
    """A network that standardises x by training statistics and maps it to raw outputs.

    Images are standardised by one mean and one standard deviation, vectors feature by feature.

    Args:
        event_shape: shape of one datum.
        outputs: number of raw outputs.

    Shapes: ``(*batch, *event)`` to ``(*batch, outputs)``.
    """

    offset: Tensor
    scale: Tensor
    initialised: Tensor

    def __init__(self, event_shape: Sequence[int], outputs: int) -> None:
        super().__init__()
        self.event_shape, self.outputs = torch.Size(event_shape), outputs
        statistics = self.event_shape if len(self.event_shape) == 1 else ()
        self.register_buffer("offset", torch.zeros(statistics))
        self.register_buffer("scale", torch.ones(statistics))
        self.register_buffer("initialised", torch.tensor(False))

    if TYPE_CHECKING:

        def __call__(self, x: Tensor) -> Tensor:
            """Return the raw outputs, as :meth:`forward` does."""

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Take the mean and standard deviation of training data x ``(N, *event)``."""
        self._check(x.shape[1:])
        axes = tuple(range(x.ndim - self.offset.ndim))
        self.offset.copy_(x.mean(axes))
        spread = x.std(axes)
        # A constant feature is 0 once its mean is taken off, whatever it is divided by.
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
    """

    def __init__(self, event_shape: Sequence[int], outputs: int, hidden: Sequence[int] = (300, 300)) -> None:
        super().__init__(event_shape, outputs)
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

    Raises:
        UsageError: where a datum is not an image.
    """

    def __init__(self, event_shape: Sequence[int], outputs: int, hidden: Sequence[int] = (32, 64)) -> None:
        if len(event_shape) not in (2, 3):
            raise UsageError(f"conv needs images, but a datum has shape {tuple(event_shape)}; take architecture mlp")
        if not hidden:
            raise UsageError("a convolutional encoder needs at least one hidden stage")
        super().__init__(event_shape, outputs)
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
