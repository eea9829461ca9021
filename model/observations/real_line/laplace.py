"""Real data with sharp peaks: identity and absolute error."""

import pyro.distributions as dist
from torch import Tensor

from obsvae.model.observations.real_line.location_scale import LocationScale


class Laplace(LocationScale):
    r"""The Laplace density.

    .. math:: p(x \mid \eta) = \frac{1}{2 b} \exp\Big(-\frac{|x - \mu(\eta)|}{b}\Big)

    Absolute error is this with b fixed. Arguments, shapes, errors: those of
    :class:`LocationScale`, with b the scale.
    """

    equivalent = "identity + absolute error, with the scale learned or fixed"

    def family(self, loc: Tensor, scale: Tensor, *more: Tensor) -> dist.TorchDistribution:
        """Return Laplace(μ, b)."""
        return dist.Laplace(loc, scale)
