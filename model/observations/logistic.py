"""Real data with exponential tails."""

import pyro.distributions as dist
from torch import Tensor

from model.distributions import Logistic as Distribution
from model.observations.location_scale import LocationScale


class Logistic(LocationScale):
    r"""The logistic density.

    .. math:: p(x \mid \eta) = \frac{e^{-t}}{\sigma (1 + e^{-t})^2}, \qquad t = \frac{x - \mu(\eta)}{\sigma}

    Arguments, shapes, errors: those of :class:`~model.observations.location_scale.LocationScale`.
    """

    equivalent = "identity + log cosh of half the error"

    def family(self, loc: Tensor, scale: Tensor, *more: Tensor) -> dist.TorchDistribution:
        """Return Logistic(μ, σ)."""
        return Distribution(loc, scale)
