"""Architectures: a decoder with its encoder, and their sizes by default."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from obsvae.guides import ConvEncoder, Encoder, Inputs, MLPEncoder
from obsvae.model import ConvDecoder, Decoder, MLPDecoder


@dataclass(frozen=True)
class Architecture:
    """A decoder with its encoder.

    Attributes:
        decoder: class of η(z), called with ``(latent, event_shape, outputs, hidden)``, hidden from z to x.
        encoder: class of the guide's network, called with ``(event_shape, outputs, hidden, inputs)``, hidden from x
            to z.
        hidden: sizes of the hidden layers from x to z where none are given; the decoder has them in reverse.
    """

    decoder: Callable[[int, Sequence[int], int, Sequence[int]], Decoder]
    encoder: Callable[[Sequence[int], int, Sequence[int], Inputs | None], Encoder]
    hidden: tuple[int, ...]


ARCHITECTURES = {
    "mlp": Architecture(MLPDecoder, MLPEncoder, (300, 300)),
    "conv": Architecture(ConvDecoder, ConvEncoder, (32, 64)),
}
