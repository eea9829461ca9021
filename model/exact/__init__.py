"""Distributions that torch and Pyro lack, or have but not exactly or not fast."""

import obsvae.model.exact.interval_mass.log_concave  # noqa: F401 - registers its families
from obsvae.model.exact.continuous.beta import Beta
from obsvae.model.exact.continuous.continuous_bernoulli import ContinuousBernoulli, natural_from_mean_logit
from obsvae.model.exact.continuous.gamma import Gamma
from obsvae.model.exact.continuous.kumaraswamy import Kumaraswamy
from obsvae.model.exact.continuous.log_normal import LogNormal
from obsvae.model.exact.continuous.logistic import Logistic
from obsvae.model.exact.continuous.logit_normal import LogitNormal
from obsvae.model.exact.continuous.profile_normal import ProfileNormal
from obsvae.model.exact.continuous.student_t import StudentT
from obsvae.model.exact.continuous.truncated_normal import TruncatedNormal
from obsvae.model.exact.continuous.unit_interval import UnitInterval, within_unit
from obsvae.model.exact.continuous.von_mises import VonMises
from obsvae.model.exact.continuous.weibull import Weibull
from obsvae.model.exact.discrete.bernoulli import Bernoulli
from obsvae.model.exact.discrete.binomial import Binomial, NegativeBinomial
from obsvae.model.exact.discrete.categorical import Categorical
from obsvae.model.exact.discrete.ordered_logistic import OrderedLogistic
from obsvae.model.exact.discrete.poisson import Poisson
from obsvae.model.exact.interval_mass.closed_form import UnknownIntervalMass, log_interval_mass
from obsvae.model.exact.interval_mass.interval import Interval
from obsvae.model.exact.overflow import exp_or_inf
from obsvae.model.exact.wrapping.between import Between, Sigmoid
from obsvae.model.exact.wrapping.by_column import ByColumn
from obsvae.model.exact.wrapping.dequantised import Dequantised
from obsvae.model.exact.wrapping.discretised import Discretised, Lattice
from obsvae.model.exact.wrapping.mixture import Mixture
from obsvae.model.exact.wrapping.partial import Partial
from obsvae.model.exact.wrapping.transforms import Affine, Bounds, Log, Logit, YeoJohnson
from obsvae.model.exact.wrapping.zero_inflated import ZeroInflated

__all__ = [
    "Affine",
    "Bernoulli",
    "Beta",
    "Between",
    "Binomial",
    "Bounds",
    "ByColumn",
    "Categorical",
    "ContinuousBernoulli",
    "Dequantised",
    "Discretised",
    "Gamma",
    "Interval",
    "Kumaraswamy",
    "Lattice",
    "Log",
    "LogNormal",
    "Logistic",
    "Logit",
    "LogitNormal",
    "Mixture",
    "NegativeBinomial",
    "OrderedLogistic",
    "Partial",
    "Poisson",
    "ProfileNormal",
    "Sigmoid",
    "StudentT",
    "TruncatedNormal",
    "UnitInterval",
    "UnknownIntervalMass",
    "VonMises",
    "Weibull",
    "YeoJohnson",
    "ZeroInflated",
    "exp_or_inf",
    "log_interval_mass",
    "natural_from_mean_logit",
    "within_unit",
]
