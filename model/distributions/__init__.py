"""Distributions that torch and Pyro lack, or have but not exactly."""

from model.distributions.beta import Beta
from model.distributions.binomial import Binomial, NegativeBinomial
from model.distributions.categorical import Categorical
from model.distributions.continuous_bernoulli import ContinuousBernoulli, natural_from_mean_logit
from model.distributions.gamma import Gamma
from model.distributions.kumaraswamy import Kumaraswamy
from model.distributions.logistic import Logistic
from model.distributions.logit_normal import LogitNormal
from model.distributions.ordered_logistic import OrderedLogistic
from model.distributions.poisson import Poisson
from model.distributions.profile_normal import ProfileNormal
from model.distributions.student_t import StudentT
from model.distributions.truncated_normal import TruncatedNormal
from model.distributions.von_mises import VonMises
from model.distributions.weibull import Weibull

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
