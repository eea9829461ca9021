"""Distributions that torch and Pyro lack, or have but not exactly."""

from model.distributions.angles import VonMises
from model.distributions.categorical import Categorical
from model.distributions.continuous_bernoulli import ContinuousBernoulli, natural_from_mean_logit
from model.distributions.counts import Binomial, NegativeBinomial, Poisson
from model.distributions.gamma import Beta, Gamma
from model.distributions.ordered import OrderedLogistic
from model.distributions.positive import Weibull
from model.distributions.profile_normal import ProfileNormal
from model.distributions.real import Logistic, StudentT
from model.distributions.unit import Kumaraswamy, LogitNormal, TruncatedNormal

__all__ = [
    "Beta",
    "Binomial",
    "Categorical",
    "ContinuousBernoulli",
    "Gamma",
    "Kumaraswamy",
    "Logistic",
    "LogitNormal",
    "NegativeBinomial",
    "OrderedLogistic",
    "Poisson",
    "ProfileNormal",
    "StudentT",
    "TruncatedNormal",
    "VonMises",
    "Weibull",
    "natural_from_mean_logit",
]
