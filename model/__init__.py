"""The generative side: prior, decoders, observation distributions and the Pyro model."""

from model.decoders import ConvDecoder, Decoder, MLPDecoder, make_decoder
from model.observations import (
    OBSERVATIONS,
    Bernoulli,
    Categorical,
    ContinuousBernoulli,
    Measure,
    MeasureMismatch,
    Normal,
    Observation,
    Transformed,
    Units,
    UnnormalisedBernoulli,
    make_observation,
)
from model.priors import StandardNormal
from model.vae import VAE

__all__ = [
    "OBSERVATIONS",
    "VAE",
    "Bernoulli",
    "Categorical",
    "ContinuousBernoulli",
    "ConvDecoder",
    "Decoder",
    "MLPDecoder",
    "Measure",
    "MeasureMismatch",
    "Normal",
    "Observation",
    "StandardNormal",
    "Transformed",
    "Units",
    "UnnormalisedBernoulli",
    "make_decoder",
    "make_observation",
]
