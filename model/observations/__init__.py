"""Observation distributions p(x | z)."""

from model.observations.base import Measure, MeasureMismatch, Observation, Units
from model.observations.bernoulli import Bernoulli
from model.observations.beta import Beta
from model.observations.binomial import Binomial
from model.observations.categorical import Categorical
from model.observations.comparable import on_common_scale, require_one_dataset, require_one_measure
from model.observations.continuous_bernoulli import ContinuousBernoulli
from model.observations.dequantised import Dequantised
from model.observations.discretised import Discretised
from model.observations.gamma import Gamma
from model.observations.kumaraswamy import Kumaraswamy
from model.observations.laplace import Laplace
from model.observations.log_normal import LogNormal
from model.observations.logistic import Logistic
from model.observations.logit_normal import LogitNormal
from model.observations.mixture import Mixture
from model.observations.negative_binomial import NegativeBinomial
from model.observations.normal import Normal
from model.observations.ordinal import Ordinal
from model.observations.poisson import Poisson
from model.observations.registry import OBSERVATIONS, WRAPPERS, make_observation, options_of
from model.observations.student_t import StudentT
from model.observations.transformed import TRANSFORMS, Transformed
from model.observations.transforms import Affine, Log, Logit, YeoJohnson
from model.observations.truncated_normal import TruncatedNormal
from model.observations.unnormalised_bernoulli import UnnormalisedBernoulli
from model.observations.von_mises import VonMises
from model.observations.weibull import Weibull
from model.observations.zero_inflated import ZeroInflated

__all__ = [
    "OBSERVATIONS",
    "TRANSFORMS",
    "WRAPPERS",
    "Affine",
    "Bernoulli",
    "Beta",
    "Binomial",
    "Categorical",
    "ContinuousBernoulli",
    "Dequantised",
    "Discretised",
    "Gamma",
    "Kumaraswamy",
    "Laplace",
    "Log",
    "LogNormal",
    "Logistic",
    "Logit",
    "LogitNormal",
    "Measure",
    "MeasureMismatch",
    "Mixture",
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
    "YeoJohnson",
    "ZeroInflated",
    "make_observation",
    "on_common_scale",
    "options_of",
    "require_one_dataset",
    "require_one_measure",
]
