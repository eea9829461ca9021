"""The amortised side: encoders and guides."""

from obsvae.guides.base import Guide
from obsvae.guides.delta import AmortisedDelta
from obsvae.guides.encoders import ConvEncoder, Encoder, MLPEncoder
from obsvae.guides.inputs import Inputs, Standardised
from obsvae.guides.normal import AmortisedNormal
from obsvae.guides.registry import GUIDES, make_guide

__all__ = [
    "GUIDES",
    "AmortisedDelta",
    "AmortisedNormal",
    "ConvEncoder",
    "Encoder",
    "Guide",
    "Inputs",
    "MLPEncoder",
    "Standardised",
    "make_guide",
]
