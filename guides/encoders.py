"""Encoders: networks from a datum x to the parameters of q(z | x)."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from obsvae.conditions import require_conditions
from obsvae.errors import UsageError
from obsvae.guides.inputs import Inputs, Standardised
from obsvae.layers import Residual, hidden_layer
from obsvae.module import TypedModule


class Encoder(TypedModule):
    """A network that maps what it sees of x to raw outputs.

    Args:
        event_shape: shape of one datum.
        outputs: number of raw outputs.
        inputs: what the network sees of x; by default x, standardised.
        conditions: C, how many numbers c the network sees beside x.

    Shapes: ``(*batch, *event)``, and ``(*batch, C)``, to ``(*batch, outputs)``.
    """

    initialised: Tensor

    def __init__(
        self, event_shape: Sequence[int], outputs: int, inputs: Inputs | None = None, conditions: int = 0
    ) -> None:
        super().__init__()
        self.event_shape, self.outputs, self.conditions = torch.Size(event_shape), outputs, conditions
        self.inputs = Standardised(event_shape) if inputs is None else inputs
        self.register_buffer("initialised", torch.tensor(False))

    if TYPE_CHECKING:

        def __call__(self, x: Tensor, c: Tensor | None = None) -> Tensor:
            """Return the raw outputs, as :meth:`forward` does."""

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Take statistics of training data x ``(N, *event)``."""
        self._check(x.shape[1:])
        self.inputs.initialise(x)
        self.initialised.fill_(True)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the raw outputs for x in data units, and conditions c where there are any.

        Raises:
            UsageError: for data of another shape, or other conditions than the encoder was built for.
        """
        self._check(x.shape[x.ndim - len(self.event_shape) :])
        require_conditions(self.conditions, c)
        return self.network(self.inputs(x), c)

    def _check(self, shape: torch.Size) -> None:
        if shape != self.event_shape:
            needed = tuple(self.event_shape)
            raise UsageError(f"the encoder was built for data of shape {needed}, but got {tuple(shape)}")

    @abstractmethod
    def network(self, u: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the raw outputs for what ``inputs`` give, ``(*batch, *inputs.shape)``, and c ``(*batch, C)``."""


class MLPEncoder(Encoder):
    """Fully connected layers.

    Args:
        event_shape: shape of one datum.
        outputs: number of raw outputs.
        hidden: widths of the hidden layers, from x to z.
        inputs: as :class:`Encoder` has it.
        conditions: C; the first layer sees c beside x.
        activation: of the hidden layers: ``relu``, ``tanh``, ``gelu`` or ``gated``.

    Raises:
        UsageError: for another activation.
    """

    def __init__(
        self,
        event_shape: Sequence[int],
        outputs: int,
        hidden: Sequence[int] = (300, 300),
        inputs: Inputs | None = None,
        activation: str = "relu",
        conditions: int = 0,
    ) -> None:
        super().__init__(event_shape, outputs, inputs, conditions)
        width = math.prod(self.inputs.shape) + conditions
        layers: list[nn.Module] = []
        for width_in, width_out in zip([width, *hidden], hidden, strict=False):
            layers += hidden_layer(activation, width_in, width_out)
        self.layers = nn.Sequential(*layers, nn.Linear([width, *hidden][-1], outputs))

    def network(self, u: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the raw outputs."""
        flat = u.flatten(-len(self.inputs.shape))
        return self.layers(flat if c is None else torch.cat([flat, c], -1))


class ConvEncoder(Encoder):
    """Convolutions, each of which halves rows and columns, for images ``(rows, columns)`` or with channels first.

    Args:
        event_shape: ``(rows, columns)`` or ``(channels, rows, columns)``.
        outputs: number of raw outputs.
        hidden: channels of the stages, from x to z.
        inputs: as :class:`Encoder` has it.
        conditions: C; each is a channel more, the same number throughout.

    Raises:
        UsageError: where a datum is not an image.
    """

    def __init__(
        self,
        event_shape: Sequence[int],
        outputs: int,
        hidden: Sequence[int] = (32, 64),
        inputs: Inputs | None = None,
        conditions: int = 0,
    ) -> None:
        if len(event_shape) not in (2, 3):
            raise UsageError(f"conv needs images, but a datum has shape {tuple(event_shape)}; take architecture mlp")
        if not hidden:
            raise UsageError("a convolutional encoder needs at least one hidden stage")
        super().__init__(event_shape, outputs, inputs, conditions)
        # Whether a pixel is seen is a channel more.
        channels, rows, columns = math.prod(self.inputs.shape[:-2]), *self.inputs.shape[-2:]
        self.image = (channels, rows, columns)
        stages: list[nn.Module] = []
        for c_in, c_out in zip([channels + conditions, *hidden], hidden, strict=False):
            stages += [nn.Conv2d(c_in, c_out, 3, stride=2, padding=1), *self.after(c_out), nn.ReLU()]
            rows, columns = math.ceil(rows / 2), math.ceil(columns / 2)
        self.stages = nn.Sequential(*stages)
        self.head = nn.Linear(hidden[-1] * rows * columns, outputs)

    @staticmethod
    def after(channels: int) -> Sequence[nn.Module]:
        """Return what a stage has after it halves rows and columns: nothing."""
        return ()

    def network(self, u: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the raw outputs."""
        batch = u.shape[: -len(self.inputs.shape)]
        maps = u.reshape(-1, *self.image)
        if c is not None:
            channels = c.reshape(len(maps), -1, 1, 1).expand(-1, -1, *self.image[1:])
            maps = torch.cat([maps, channels], 1)
        maps = self.stages(maps)
        return self.head(maps.flatten(1)).reshape(*batch, self.outputs)


class ResidualEncoder(ConvEncoder):
    """Convolutions as :class:`ConvEncoder` has them, with a residual block after each."""

    @staticmethod
    def after(channels: int) -> Sequence[nn.Module]:
        """Return a residual block."""
        return (Residual(channels),)
