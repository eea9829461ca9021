"""The rule of each family and each wrapper, by name."""

from collections.abc import Mapping

from obsvae.experiments.recommendation.listing import (
    circle,
    counts,
    levels,
    positive,
    real_line,
    unit_interval,
    wrappers,
)
from obsvae.experiments.recommendation.listing.proposal import Rule

# The simpler come first, by which ties between observations of as many parameters are settled.
RULES: Mapping[str, Rule] = {
    "bernoulli": levels.bernoulli,
    "poisson": counts.poisson,
    "binomial": counts.binomial,
    "continuous-bernoulli": unit_interval.continuous_bernoulli,
    "unnormalised-bernoulli": unit_interval.unnormalised_bernoulli,
    "normal": real_line.normal,
    "log-normal": positive.log_normal,
    "gamma": positive.gamma,
    "weibull": positive.weibull,
    "beta": unit_interval.beta,
    "logit-normal": unit_interval.logit_normal,
    "truncated-normal": unit_interval.truncated_normal,
    "kumaraswamy": unit_interval.kumaraswamy,
    "logistic": real_line.logistic,
    "laplace": real_line.laplace,
    "negative-binomial": counts.negative_binomial,
    "student-t": real_line.student_t,
    "von-mises": circle.von_mises,
    "ordinal": levels.ordinal,
    "categorical": levels.categorical,
    "discretised": wrappers.discretised,
    "transformed": wrappers.transformed,
    "zero-inflated": wrappers.zero_inflated,
    "mixture": wrappers.mixture,
    "dequantised": wrappers.dequantised,
}
