"""Distributions that torch and Pyro lack, or have but not exactly."""

from model.distributions.continuous_bernoulli import ContinuousBernoulli, natural_from_mean_logit
from model.distributions.profile_normal import ProfileNormal

__all__ = ["ContinuousBernoulli", "ProfileNormal", "natural_from_mean_logit"]
