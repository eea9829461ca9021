"""Priors by name, for the command line and notebooks."""

from obsvae.model.priors.base import Prior
from obsvae.model.priors.flow import FlowPrior
from obsvae.model.priors.mixture import MixturePrior
from obsvae.model.priors.normal import NormalPrior
from obsvae.model.priors.standard_normal import StandardNormal
from obsvae.model.priors.vamp import VampPrior
from obsvae.options import chosen

PRIORS: dict[str, type[Prior]] = {
    "standard-normal": StandardNormal,
    "normal": NormalPrior,
    "mixture": MixturePrior,
    "vamp": VampPrior,
    "flow": FlowPrior,
}


def make_prior(name: str, latent: int) -> Prior:
    """Return the prior that a text describes, for a latent of a given size.

    Args:
        name: a name in ``PRIORS``, with options where wanted, such as ``mixture:components=20``.
        latent: size of z.

    Raises:
        UsageError: for an unknown name, naming the nearest known one, or options that it does not have.
    """
    prior, options = chosen("prior", name, PRIORS)
    return prior(latent, **options)
