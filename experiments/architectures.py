"""Architectures: a decoder with its encoder, and their sizes by default."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from obsvae.errors import UsageError
from obsvae.guides import ConvEncoder, Encoder, MLPEncoder, ResidualEncoder
from obsvae.layers import ACTIVATION
from obsvae.model import ConvDecoder, Decoder, MLPDecoder, ResidualDecoder
from obsvae.options import TRUTH, Option, chosen
from obsvae.whole_numbers import whole


@dataclass(frozen=True)
class Architecture:
    """A decoder with its encoder.

    Attributes:
        decoder: class of η(z), called with ``(latent, event_shape, outputs, hidden)``, hidden from z to x, and with the
            options that were given; conditions stand behind z, as more latents.
        encoder: class of the guide's network, called with ``(event_shape, outputs, hidden, inputs)``, hidden from x
            to z, with ``conditions`` where data have any, and with the options that were given.
        hidden: sizes of the hidden layers from x to z where none are given; the decoder has them in reverse.
        options: keyword arguments that a text such as ``mlp:activation=tanh`` may give.
        decoder_only: names of those that the decoder alone takes.
    """

    decoder: Callable[..., Decoder]
    encoder: Callable[..., Encoder]
    hidden: tuple[int, ...]
    options: tuple[Option, ...] = ()
    decoder_only: frozenset[str] = frozenset()


ARCHITECTURES = {
    "mlp": Architecture(
        MLPDecoder, MLPEncoder, (300, 300), (ACTIVATION, Option("skip", TRUTH, False)), frozenset({"skip"})
    ),
    "conv": Architecture(ConvDecoder, ConvEncoder, (32, 64)),
    "residual": Architecture(ResidualDecoder, ResidualEncoder, (32, 64)),
}


def architecture_of(text: str) -> Architecture:
    """Return the architecture that a text describes, whose classes have the options that it gives.

    Args:
        text: a name in ``ARCHITECTURES``, with options where wanted, such as ``mlp:activation=gated``.

    Raises:
        UsageError: for an unknown name, naming the nearest known one, or options that it does not have.
    """
    kind, options = chosen("architecture", text, ARCHITECTURES)
    of_encoder: dict[str, Any] = {name: value for name, value in options.items() if name not in kind.decoder_only}
    return replace(kind, decoder=partial(kind.decoder, **options), encoder=partial(kind.encoder, **of_encoder))


def sizes_of(text: str, hidden: Sequence[int] | None) -> list[int]:
    """Return the sizes of the hidden layers: those given, or the architecture's own.

    Raises:
        UsageError: for an unknown architecture, and sizes that are no positive whole numbers.
    """
    sizes = chosen("architecture", text, ARCHITECTURES)[0].hidden if hidden is None else hidden
    if isinstance(sizes, str) or not isinstance(sizes, Sequence):
        raise UsageError(f"hidden needs a list of the layers' sizes, such as [64, 64], but got {sizes!r}")
    return [whole("hidden", size) for size in sizes]
