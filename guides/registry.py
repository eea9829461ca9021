"""Guides by name, for the command line and notebooks."""

from collections.abc import Callable, Sequence

from obsvae.guides.base import Guide
from obsvae.guides.delta import AmortisedDelta
from obsvae.guides.encoders import Encoder
from obsvae.guides.flow import AmortisedFlow
from obsvae.guides.full_rank import AmortisedFullRank
from obsvae.guides.inputs import Inputs
from obsvae.guides.low_rank import AmortisedLowRank
from obsvae.guides.mixture import AmortisedMixture
from obsvae.guides.normal import AmortisedNormal
from obsvae.guides.student_t import AmortisedStudentT
from obsvae.options import chosen

GUIDES: dict[str, type[Guide]] = {
    "normal": AmortisedNormal,
    "full-rank": AmortisedFullRank,
    "low-rank": AmortisedLowRank,
    "mixture": AmortisedMixture,
    "student-t": AmortisedStudentT,
    "flow": AmortisedFlow,
    "delta": AmortisedDelta,
}


def make_guide(
    name: str,
    encoder: Callable[..., Encoder],
    event_shape: Sequence[int],
    latent: int,
    hidden: Sequence[int],
    inputs: Inputs | None = None,
    conditions: int = 0,
) -> Guide:
    """Return the guide that a text describes, with an encoder of its own.

    Args:
        name: a name in ``GUIDES``, with options where wanted, such as ``low-rank:rank=8``.
        encoder: makes the encoder, from the shape of a datum, the number of outputs, ``hidden`` and ``inputs``, and
            ``conditions`` by name where there are any: a class such as :class:`MLPEncoder`.
        event_shape: shape of one datum.
        latent: size of z.
        hidden: sizes of the encoder's hidden layers, from x to z.
        inputs: what the encoder's network sees of x; by default x, standardised.
        conditions: C, how many numbers it sees beside x.

    Raises:
        UsageError: for an unknown name, naming the nearest known one, or options that it does not have.
    """
    guide, options = chosen("guide", name, GUIDES)
    given = {"conditions": conditions} if conditions else {}
    return guide(encoder(event_shape, guide.outputs(latent, **options), hidden, inputs, **given), **options)
