"""The amortised side: encoders and guides."""

from guides.delta import AmortisedDelta
from guides.encoders import ConvEncoder, Encoder, MLPEncoder, make_encoder
from guides.normal import AmortisedNormal
from guides.registry import GUIDES, make_guide

__all__ = [
    "GUIDES",
    "AmortisedDelta",
    "AmortisedNormal",
    "ConvEncoder",
    "Encoder",
    "MLPEncoder",
    "make_encoder",
    "make_guide",
]
