"""Observation distributions p(x | z)."""

from obsvae.model.observations.base import Cells, Observation
from obsvae.model.observations.by_column_text import BY_COLUMN, by_column_text, families_of, resolved
from obsvae.model.observations.circle.von_mises import VonMises
from obsvae.model.observations.comparable import on_common_scale, on_grid, require_one_dataset, require_one_measure
from obsvae.model.observations.correction import Correction
from obsvae.model.observations.counts.binomial import Binomial
from obsvae.model.observations.counts.negative_binomial import NegativeBinomial
from obsvae.model.observations.counts.poisson import Poisson
from obsvae.model.observations.floors import share_at_floor
from obsvae.model.observations.levels.bernoulli import Bernoulli
from obsvae.model.observations.levels.categorical import Categorical
from obsvae.model.observations.levels.ordinal import Ordinal
from obsvae.model.observations.measure import Measure, MeasureMismatch
from obsvae.model.observations.positive.gamma import Gamma
from obsvae.model.observations.positive.log_normal import LogNormal
from obsvae.model.observations.positive.weibull import Weibull
from obsvae.model.observations.real_line.laplace import Laplace
from obsvae.model.observations.real_line.logistic import Logistic
from obsvae.model.observations.real_line.normal import Normal
from obsvae.model.observations.real_line.student_t import StudentT
from obsvae.model.observations.registry import OBSERVATIONS, WRAPPERS, make_observation, options_of
from obsvae.model.observations.support import Support, Units
from obsvae.model.observations.unit_interval.beta import Beta
from obsvae.model.observations.unit_interval.continuous_bernoulli import ContinuousBernoulli
from obsvae.model.observations.unit_interval.kumaraswamy import Kumaraswamy
from obsvae.model.observations.unit_interval.logit_normal import LogitNormal
from obsvae.model.observations.unit_interval.truncated_normal import TruncatedNormal
from obsvae.model.observations.unit_interval.unnormalised_bernoulli import UnnormalisedBernoulli
from obsvae.model.observations.wrappers.by_column import ByColumn
from obsvae.model.observations.wrappers.dequantised import Dequantised
from obsvae.model.observations.wrappers.discretised import Discretised
from obsvae.model.observations.wrappers.mixture import Mixture
from obsvae.model.observations.wrappers.partial import Partial
from obsvae.model.observations.wrappers.transformed import TRANSFORMS, Transformed
from obsvae.model.observations.wrappers.transforms import Affine, Log, Logit, YeoJohnson
from obsvae.model.observations.wrappers.zero_inflated import ZeroInflated
from obsvae.options import Option

__all__ = [
    "BY_COLUMN",
    "OBSERVATIONS",
    "TRANSFORMS",
    "WRAPPERS",
    "Affine",
    "Bernoulli",
    "Beta",
    "Binomial",
    "ByColumn",
    "Categorical",
    "Cells",
    "ContinuousBernoulli",
    "Correction",
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
    "Option",
    "Ordinal",
    "Partial",
    "Poisson",
    "StudentT",
    "Support",
    "Transformed",
    "TruncatedNormal",
    "Units",
    "UnnormalisedBernoulli",
    "VonMises",
    "Weibull",
    "YeoJohnson",
    "ZeroInflated",
    "by_column_text",
    "families_of",
    "make_observation",
    "on_common_scale",
    "on_grid",
    "options_of",
    "require_one_dataset",
    "require_one_measure",
    "resolved",
    "share_at_floor",
]
