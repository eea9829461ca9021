"""Distributions that torch and Pyro lack, or have but not exactly or not fast."""

import model.distributions.log_concave  # noqa: F401 - registers its families
from model.distributions.bernoulli import Bernoulli
from model.distributions.beta import Beta
from model.distributions.binomial import Binomial, NegativeBinomial
from model.distributions.categorical import Categorical
from model.distributions.continuous_bernoulli import ContinuousBernoulli, natural_from_mean_logit
from model.distributions.dequantised import Dequantised
from model.distributions.discretised import Discretised, Lattice
from model.distributions.gamma import Gamma
from model.distributions.interval import Interval
from model.distributions.interval_mass import log_interval_mass
from model.distributions.kumaraswamy import Kumaraswamy
from model.distributions.logistic import Logistic
from model.distributions.logit_normal import LogitNormal
from model.distributions.mixture import Mixture
from model.distributions.ordered_logistic import OrderedLogistic
from model.distributions.poisson import Poisson
from model.distributions.profile_normal import ProfileNormal
from model.distributions.student_t import StudentT
from model.distributions.transforms import Affine, Log, Logit, YeoJohnson
from model.distributions.truncated_normal import TruncatedNormal
from model.distributions.von_mises import VonMises
from model.distributions.weibull import Weibull
from model.distributions.zero_inflated import ZeroInflated

__all__ = [
    "Affine",
    "Bernoulli",
    "Beta",
    "Binomial",
    "Categorical",
    "ContinuousBernoulli",
    "Dequantised",
    "Discretised",
    "Gamma",
    "Interval",
    "Kumaraswamy",
    "Lattice",
    "Log",
    "Logistic",
    "Logit",
    "LogitNormal",
    "Mixture",
    "NegativeBinomial",
    "OrderedLogistic",
    "Poisson",
    "ProfileNormal",
    "StudentT",
    "TruncatedNormal",
    "VonMises",
    "Weibull",
    "YeoJohnson",
    "ZeroInflated",
    "log_interval_mass",
    "natural_from_mean_logit",
]
