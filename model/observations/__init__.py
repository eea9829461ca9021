"""Observation distributions p(x | z)."""

from model.observations.base import Measure, MeasureMismatch, Observation, Units
from model.observations.bernoulli import Bernoulli
from model.observations.categorical import Categorical
from model.observations.continuous_bernoulli import ContinuousBernoulli
from model.observations.normal import Normal
from model.observations.registry import OBSERVATIONS, make_observation
from model.observations.transformed import Transformed
from model.observations.unnormalised_bernoulli import UnnormalisedBernoulli

__all__ = [
    "OBSERVATIONS",
    "Bernoulli",
    "Categorical",
    "ContinuousBernoulli",
    "Measure",
    "MeasureMismatch",
    "Normal",
    "Observation",
    "Transformed",
    "Units",
    "UnnormalisedBernoulli",
    "make_observation",
]
