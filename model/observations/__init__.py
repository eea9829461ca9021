"""Observation distributions p(x | z)."""

from model.observations.base import Measure, MeasureMismatch, Observation, Units
from model.observations.bernoulli import Bernoulli
from model.observations.beta import Beta
from model.observations.binomial import Binomial
from model.observations.categorical import Categorical
from model.observations.continuous_bernoulli import ContinuousBernoulli
from model.observations.gamma import Gamma
from model.observations.kumaraswamy import Kumaraswamy
from model.observations.laplace import Laplace
from model.observations.log_normal import LogNormal
from model.observations.logistic import Logistic
from model.observations.logit_normal import LogitNormal
from model.observations.negative_binomial import NegativeBinomial
from model.observations.normal import Normal
from model.observations.ordinal import Ordinal
from model.observations.poisson import Poisson
from model.observations.registry import OBSERVATIONS, make_observation
from model.observations.student_t import StudentT
from model.observations.transformed import Transformed
from model.observations.truncated_normal import TruncatedNormal
from model.observations.unnormalised_bernoulli import UnnormalisedBernoulli
from model.observations.von_mises import VonMises
from model.observations.weibull import Weibull

__all__ = [
    "OBSERVATIONS",
    "Bernoulli",
    "Beta",
    "Binomial",
    "Categorical",
    "ContinuousBernoulli",
    "Gamma",
    "Kumaraswamy",
    "Laplace",
    "LogNormal",
    "Logistic",
    "LogitNormal",
    "Measure",
    "MeasureMismatch",
    "NegativeBinomial",
    "Normal",
    "Observation",
    "Ordinal",
    "Poisson",
    "StudentT",
    "Transformed",
    "TruncatedNormal",
    "Units",
    "UnnormalisedBernoulli",
    "VonMises",
    "Weibull",
    "make_observation",
]
