"""Decoders: networks from a latent z to the observation's raw outputs eta."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from obsvae.errors import UsageError
from obsvae.layers import Residual, hidden_layer
from obsvae.module import TypedModule


class Decoder(TypedModule):
    """A network η(z) for data of a given shape.

    Args:
        latent: size of z, and of the conditions that stand behind it, if there are any.
        event_shape: shape of one datum.
        outputs: raw outputs per feature.

    Shapes: ``(*batch, latent)`` to ``(*batch, *event, outputs)``.
    """

    def __init__(self, latent: int, event_shape: Sequence[int], outputs: int) -> None:
        super().__init__()
        self.latent, self.event_shape, self.outputs = latent, torch.Size(event_shape), outputs

    if TYPE_CHECKING:

        def __call__(self, z: Tensor) -> Tensor:
            """Return eta, as :meth:`forward` does."""

    @abstractmethod
    def forward(self, z: Tensor) -> Tensor:
        """Return eta."""

    @abstractmethod
    def set_bias(self, eta: Tensor) -> None:
        """Make eta ``(*event, outputs)`` what the last layer adds."""


class MLPDecoder(Decoder):
    """Fully connected layers.

    Args:
        latent: size of z.
        event_shape: shape of one datum.
        outputs: raw outputs per feature.
        hidden: widths of the hidden layers, from z to x.
        activation: of the hidden layers: ``relu``, ``tanh``, ``gelu`` or ``gated``.
        skip: whether each layer but the first sees z beside what the one before makes of it.

    Raises:
        UsageError: for another activation.

    Reference: Dieng, Kim, Rush and Blei, *Avoiding latent variable collapse with generative skip models*, AISTATS 2019.
    """

    def __init__(
        self,
        latent: int,
        event_shape: Sequence[int],
        outputs: int = 1,
        hidden: Sequence[int] = (300, 300),
        activation: str = "relu",
        skip: bool = False,
    ) -> None:
        super().__init__(latent, event_shape, outputs)
        beside = latent if skip else 0
        self.body, self.joined = nn.ModuleList(), set[int]()
        width = latent
        for width_out in hidden:
            if skip and len(self.body):
                self.joined.add(len(self.body))
            self.body.extend(hidden_layer(activation, width, width_out))
            width = width_out + beside
        self.skip = skip and bool(hidden)
        self.head = nn.Linear(width, math.prod(event_shape) * outputs)

    def forward(self, z: Tensor) -> Tensor:
        """Return eta."""
        h = z
        for i, part in enumerate(self.body):
            h = part(torch.cat([h, z], -1) if i in self.joined else h)
        h = torch.cat([h, z], -1) if self.skip else h
        return self.head(h).unflatten(-1, (*self.event_shape, self.outputs))

    @torch.no_grad()
    def set_bias(self, eta: Tensor) -> None:
        """Set the bias of the last layer."""
        self.head.bias.copy_(eta.flatten())


class ConvDecoder(Decoder):
    """Transposed convolutions, each of which doubles rows and columns, for images ``(rows, columns)`` or with channels.

    Args:
        latent: size of z.
        event_shape: ``(rows, columns)`` or ``(channels, rows, columns)``.
        outputs: raw outputs per feature.
        hidden: channels of the stages, from z to x.

    Raises:
        UsageError: where a datum is not an image, or has its channels last.
    """

    def __init__(
        self, latent: int, event_shape: Sequence[int], outputs: int = 1, hidden: Sequence[int] = (64, 32)
    ) -> None:
        if len(event_shape) not in (2, 3):
            raise UsageError(f"conv needs images, but a datum has shape {tuple(event_shape)}; take architecture mlp")
        if len(event_shape) == 3 and event_shape[-1] in (1, 3, 4) and event_shape[0] not in (1, 3, 4):
            raise UsageError(
                f"conv needs images with channels first, but a datum has shape {tuple(event_shape)}, which looks like "
                "channels last; load them with channels='last', or take architecture mlp"
            )
        if not hidden:
            raise UsageError("a convolutional decoder needs at least one hidden stage")
        super().__init__(latent, event_shape, outputs)
        channels, rows, columns = (1, *event_shape)[-3:]
        self.image = (channels, rows, columns)
        # Rows and columns before the stages and after each: halved from the image's, as an encoder halves them.
        small, *self.sizes = [(math.ceil(rows / 2**k), math.ceil(columns / 2**k)) for k in range(len(hidden), -1, -1)]
        self.small = (hidden[0], *small)
        self.grow = nn.Linear(latent, math.prod(self.small))
        self.stages = nn.ModuleList()
        for c_in, c_out in zip(hidden, [*hidden[1:], channels * outputs], strict=True):
            last = len(self.stages) == len(hidden) - 1  # its bias is self.bias, one for each feature
            convolution = nn.ConvTranspose2d(c_in, c_out, 4, stride=2, padding=1, bias=not last)
            self.stages.append(nn.Sequential(*self.before(c_in), nn.ReLU(), convolution))
        self.bias = nn.Parameter(torch.zeros(*event_shape, outputs))

    @staticmethod
    def before(channels: int) -> Sequence[nn.Module]:
        """Return what a stage has before it doubles rows and columns: nothing."""
        return ()

    def forward(self, z: Tensor) -> Tensor:
        """Return eta."""
        maps = self.grow(z).reshape(-1, *self.small)
        for stage, (rows, columns) in zip(self.stages, self.sizes, strict=True):
            maps = stage(maps)[..., :rows, :columns]
        eta = maps.unflatten(1, (self.image[0], self.outputs)).movedim(2, -1)  # (B, channels, rows, columns, outputs)
        return eta.reshape(*z.shape[:-1], *self.event_shape, self.outputs) + self.bias

    @torch.no_grad()
    def set_bias(self, eta: Tensor) -> None:
        """Set the bias of each feature."""
        self.bias.copy_(eta)


class ResidualDecoder(ConvDecoder):
    """Transposed convolutions as :class:`ConvDecoder` has them, with a residual block before each."""

    @staticmethod
    def before(channels: int) -> Sequence[nn.Module]:
        """Return a residual block."""
        return (Residual(channels),)


class Spread(Decoder):
    """A decoder of a vector of outputs, spread over features that take different numbers of them.

    A feature that takes a single output beside one that takes hundreds costs one, not hundreds.

    Args:
        decoder: of as many features as there are outputs in all, with one output each.
        used: which outputs each feature takes, ``(*event, outputs)``; eta is 0 at the others.

    Raises:
        UsageError: where the decoder has another number of outputs.
    """

    positions: Tensor
    taken: Tensor

    def __init__(self, decoder: Decoder, used: Tensor) -> None:
        super().__init__(decoder.latent, used.shape[:-1], used.shape[-1])
        if (number := int(used.sum())) != math.prod(decoder.event_shape) * decoder.outputs:
            raise UsageError(f"the features take {number} outputs, but the decoder's are {tuple(decoder.event_shape)}")
        self.decoder = decoder
        # Where in the decoder's outputs each entry of eta is found; one that is not used is the 0 before them.
        positions = torch.zeros(used.shape, dtype=torch.long)
        positions[used] = 1 + torch.arange(number)
        self.register_buffer("positions", positions.flatten(), persistent=False)
        self.register_buffer("taken", used, persistent=False)

    def forward(self, z: Tensor) -> Tensor:
        """Return eta."""
        outputs = nn.functional.pad(self.decoder(z).flatten(-2), (1, 0))
        return outputs.index_select(-1, self.positions).unflatten(-1, (*self.event_shape, self.outputs))

    @torch.no_grad()
    def set_bias(self, eta: Tensor) -> None:
        """Set the bias of the outputs that are used."""
        self.decoder.set_bias(eta[self.taken].unsqueeze(-1))
