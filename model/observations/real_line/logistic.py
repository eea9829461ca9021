"""Real data with exponential tails."""

import pyro.distributions as dist
from torch import Tensor

from obsvae.model import exact
from obsvae.model.observations.real_line.location_scale import LocationScale


class Logistic(LocationScale):
    r"""The logistic density.

    .. math:: p(x \mid \eta) = \frac{e^{-t}}{\sigma (1 + e^{-t})^2}, \qquad t = \frac{x - \mu(\eta)}{\sigma}

    Arguments, shapes, errors: those of :class:`LocationScale`.
    """

    equivalent = "identity + log cosh of half the error"

    def family(self, loc: Tensor, scale: Tensor, *more: Tensor) -> dist.TorchDistribution:
        """Return Logistic(μ, σ)."""
        return exact.Logistic(loc, scale)
