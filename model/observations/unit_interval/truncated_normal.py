"""Data in the unit interval: squared error that knows the bounds."""

import pyro.distributions as dist
from torch import Tensor

from obsvae.model import exact
from obsvae.model.observations.data_like import Features
from obsvae.model.observations.parameters import FLOOR, SCALE
from obsvae.model.observations.real_line.location_scale import LocationScale
from obsvae.model.observations.support import UNIT_INTERVAL


class TruncatedNormal(LocationScale):
    r"""The Normal density cut off outside [0, 1].

    .. math:: p(x \mid \eta) \propto \frac{1}{\sigma} \exp\Big(-\frac{(x - \mu(\eta))^2}{2 \sigma^2}\Big), \qquad
              0 \le x \le 1

    Arguments, shapes, errors: those of :class:`LocationScale`; there is no link, and
    μ may lie outside.
    """

    support = UNIT_INTERVAL
    options = (SCALE, FLOOR)
    equivalent = "identity + squared error, renormalised over [0, 1]"

    def __init__(self, scale: float | str = "per-unit", features: Features = Features(), floor: float = 1e-3) -> None:
        super().__init__(scale, "identity", features, floor)

    def family(self, loc: Tensor, scale: Tensor, *more: Tensor) -> dist.TorchDistribution:
        """Return TruncatedNormal(μ, σ)."""
        return exact.TruncatedNormal(loc, scale)
