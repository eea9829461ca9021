"""Data in the unit interval: squared error that knows the bounds."""

import pyro.distributions as dist
from torch import Tensor

from model.distributions import TruncatedNormal as Distribution
from model.observations.base import Units
from model.observations.location_scale import LocationScale


class TruncatedNormal(LocationScale):
    r"""The Normal density cut off outside [0, 1].

    .. math:: p(x \mid \eta) \propto \frac{1}{\sigma} \exp\Big(-\frac{(x - \mu(\eta))^2}{2 \sigma^2}\Big), \qquad
              0 \le x \le 1

    Arguments, shapes, errors: those of :class:`~model.observations.location_scale.LocationScale`; there is no link, and
    μ may lie outside.
    """

    units = Units.UNIT_INTERVAL
    needs = "{x} in [0, 1]"
    remedy = "declare the data's bounds (--bounds LOW HIGH), or take normal for data without bounds"
    equivalent = "identity + squared error, with what lies outside [0, 1] ruled out"

    def __init__(
        self, scale: float | str = "shared", event_shape: tuple[int, ...] | None = None, floor: float = 1e-3
    ) -> None:
        super().__init__(scale, "identity", event_shape, floor)

    def family(self, loc: Tensor, scale: Tensor, *more: Tensor) -> dist.TorchDistribution:
        """Return TruncatedNormal(μ, σ)."""
        return Distribution(loc, scale)

    def inside(self, x: Tensor) -> Tensor:
        """Return whether 0 ≤ x ≤ 1."""
        return (x >= 0) & (x <= 1)
