"""Guides by name, for the command line and notebooks."""

from collections.abc import Callable, Sequence

from obsvae.guides.base import Guide
from obsvae.guides.delta import AmortisedDelta
from obsvae.guides.encoders import Encoder
from obsvae.guides.inputs import Inputs
from obsvae.guides.normal import AmortisedNormal
from obsvae.names import lookup

GUIDES: dict[str, type[Guide]] = {"normal": AmortisedNormal, "delta": AmortisedDelta}


def make_guide(
    name: str,
    encoder: Callable[[Sequence[int], int, Sequence[int], Inputs | None], Encoder],
    event_shape: Sequence[int],
    latent: int,
    hidden: Sequence[int],
    inputs: Inputs | None = None,
) -> Guide:
    """Return a guide by name, with an encoder of its own.

    Args:
        name: ``normal`` or ``delta``.
        encoder: makes the encoder, from the shape of a datum, the number of outputs, ``hidden`` and ``inputs``: a class
            such as :class:`MLPEncoder`.
        event_shape: shape of one datum.
        latent: size of z.
        hidden: sizes of the encoder's hidden layers, from x to z.
        inputs: what the encoder's network sees of x; by default x, standardised.

    Raises:
        UsageError: for an unknown name, naming the nearest known one.
    """
    guide = lookup("guide", name, GUIDES)
    return guide(encoder(event_shape, guide.outputs(latent), hidden, inputs))
