"""Guides by name, for the command line and notebooks."""

from collections.abc import Sequence

from guides.delta import AmortisedDelta
from guides.encoders import make_encoder
from guides.lookup import lookup
from guides.normal import AmortisedNormal

GUIDES: dict[str, type[AmortisedNormal] | type[AmortisedDelta]] = {"normal": AmortisedNormal, "delta": AmortisedDelta}


def make_guide(
    name: str, architecture: str, event_shape: Sequence[int], latent: int, hidden: Sequence[int]
) -> AmortisedNormal | AmortisedDelta:
    """Return a guide by name, with an encoder of its own.

    Args:
        name: ``normal`` or ``delta``.
        architecture: ``mlp`` or ``conv``.
        event_shape: shape of one datum.
        latent: size of z.
        hidden: sizes of the encoder's hidden layers, from x to z.

    Raises:
        ValueError: for an unknown name, naming the nearest known one.
    """
    guide = lookup("guide", name, GUIDES)
    return guide(make_encoder(architecture, event_shape, guide.outputs(latent), hidden))
