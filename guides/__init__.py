"""The amortised side: encoders and guides."""

from obsvae.guides.base import Guide
from obsvae.guides.column_inputs import ColumnInputs, CosineSine, Logarithm, OneHot
from obsvae.guides.delta import AmortisedDelta
from obsvae.guides.encoders import ConvEncoder, Encoder, MLPEncoder
from obsvae.guides.inputs import Inputs, Standardised
from obsvae.guides.normal import AmortisedNormal
from obsvae.guides.registry import GUIDES, make_guide

__all__ = [
    "GUIDES",
    "AmortisedDelta",
    "AmortisedNormal",
    "ColumnInputs",
    "ConvEncoder",
    "CosineSine",
    "Encoder",
    "Guide",
    "Inputs",
    "Logarithm",
    "MLPEncoder",
    "OneHot",
    "Standardised",
    "make_guide",
]
