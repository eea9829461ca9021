"""The amortised side: encoders and guides."""

from obsvae.guides.base import Guide
from obsvae.guides.column_inputs import ColumnInputs, CosineSine, Logarithm, OneHot
from obsvae.guides.delta import AmortisedDelta
from obsvae.guides.encoders import ConvEncoder, Encoder, MLPEncoder, ResidualEncoder
from obsvae.guides.flow import AmortisedFlow
from obsvae.guides.full_rank import AmortisedFullRank
from obsvae.guides.inputs import Inputs, Standardised
from obsvae.guides.low_rank import AmortisedLowRank
from obsvae.guides.mixture import AmortisedMixture
from obsvae.guides.normal import AmortisedNormal
from obsvae.guides.registry import GUIDES, make_guide
from obsvae.guides.student_t import AmortisedStudentT

__all__ = [
    "GUIDES",
    "AmortisedDelta",
    "AmortisedFlow",
    "AmortisedFullRank",
    "AmortisedLowRank",
    "AmortisedMixture",
    "AmortisedNormal",
    "AmortisedStudentT",
    "ColumnInputs",
    "ConvEncoder",
    "CosineSine",
    "Encoder",
    "Guide",
    "Inputs",
    "Logarithm",
    "MLPEncoder",
    "OneHot",
    "ResidualEncoder",
    "Standardised",
    "make_guide",
]
