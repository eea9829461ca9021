"""Prior distributions p(z)."""

from obsvae.model.priors.base import Prior
from obsvae.model.priors.flow import FlowPrior
from obsvae.model.priors.mixture import MixturePrior
from obsvae.model.priors.normal import NormalPrior
from obsvae.model.priors.registry import PRIORS, make_prior
from obsvae.model.priors.standard_normal import StandardNormal
from obsvae.model.priors.vamp import VampPrior

__all__ = ["PRIORS", "FlowPrior", "MixturePrior", "NormalPrior", "Prior", "StandardNormal", "VampPrior", "make_prior"]
