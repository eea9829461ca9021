"""Changes of variable x = T(u), with their Jacobians and their images of intervals."""

import pyro.distributions as dist
import torch
from torch import Tensor
from torch.distributions import constraints
from torch.nn import functional as F

from obsvae.model.exact.interval_mass.closed_form import logarithm, logit
from obsvae.model.exact.interval_mass.interval import Interval

_EPS = torch.finfo(torch.float32).eps


class Affine(dist.transforms.AffineTransform):
    """x = offset + scale · u, whose Jacobian a density takes and a mass does not; the u of a mass are whole numbers."""

    loc: Tensor
    scale: Tensor

    def __init__(self, offset: Tensor, scale: Tensor, *, is_density: bool, is_whole: bool) -> None:
        super().__init__(offset, scale)
        self.is_density, self.is_whole = is_density, is_whole

    def _inverse(self, y: Tensor) -> Tensor:
        u = super()._inverse(y)
        if not self.is_whole:
            return u
        # Levels are whole numbers, but (0.3 − 0.1) / 0.1 is not, in float32. This bounds the error of u by the
        # rounding of y, of the offset and of the scale.
        moved = 4.0 * _EPS * ((y.abs() + self.loc.abs()) / self.scale.abs() + u.abs())
        return torch.where((u - u.round()).abs() <= moved, u.round(), u)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Return log |scale| for a density, and 0 for a mass."""
        return super().log_abs_det_jacobian(x, y) if self.is_density else torch.zeros_like(x)

    def pull(self, interval: Interval) -> Interval:
        """Return the interval of u."""
        return interval.scaled(self.loc, self.scale)


class Bounds(Affine):
    """x = low + (high − low) · u, for u on the unit interval.

    Args:
        low: x where u = 0.
        high: x where u = 1, above low.
        is_density: as of :class:`Affine`.
    """

    def __init__(self, low: Tensor, high: Tensor, *, is_density: bool) -> None:
        super().__init__(low, high - low, is_density=is_density, is_whole=False)
        self.high = high

    def rest(self, x: Tensor) -> Tensor:
        """Return 1 − u, by the distance from the upper bound."""
        return (self.high - x) / self.scale

    def pull(self, interval: Interval) -> Interval:
        """Return the interval of u, in double precision."""
        low, high = self.loc.double(), self.high.double()
        return interval.double().scaled(low, high - low)


class _Increasing(dist.transforms.Transform):
    domain = constraints.real
    codomain: constraints.Constraint = constraints.real
    bijective = True
    sign = 1


class Log(_Increasing):
    """u = log x."""

    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return torch.exp(x).clamp(min=torch.finfo(x.dtype).tiny)  # above 0, to which it may underflow

    def _inverse(self, y: Tensor) -> Tensor:
        return torch.log(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Return log dx/du, which is u."""
        return x

    def pull(self, interval: Interval) -> Interval:
        """Return the interval of u."""
        return logarithm(interval)


class Logit(_Increasing):
    """u = log x / (1 − x)."""

    codomain = constraints.unit_interval

    def _call(self, x: Tensor) -> Tensor:
        return torch.sigmoid(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return torch.log(y) - torch.log1p(-y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Return log x (1 − x)."""
        return F.logsigmoid(x) + F.logsigmoid(-x)

    def pull(self, interval: Interval) -> Interval:
        """Return the interval of u."""
        return logit(interval)


class YeoJohnson(_Increasing):
    r"""The Yeo–Johnson power transform, of all real numbers onto all real numbers.

    .. math:: u = \operatorname{sign}(x) \, \frac{(1 + |x|)^m - 1}{m}, \qquad
              m = \lambda \text{ for } x \ge 0, \quad m = 2 - \lambda \text{ for } x < 0

    and sign(x) log(1 + \|x\|) where m = 0.

    Args:
        power: λ between 0 and 2; beyond, u would have a bound, and a density over all u would lose mass.

    Reference: Yeo and Johnson, *A new family of power transformations to improve normality or symmetry*, 2000.
    """

    def __init__(self, power: Tensor) -> None:
        super().__init__()
        self.power = power

    def _exponent(self, sided: Tensor) -> Tensor:
        return torch.where(sided >= 0, self.power, 2.0 - self.power)

    def _call(self, x: Tensor) -> Tensor:
        m, size = self._exponent(x), x.abs()
        is_log = m < 1e-6
        m_there = torch.where(is_log, 1.0, m)
        log_one_more = torch.where(is_log, size, torch.log1p(m_there * size) / m_there)
        return x.sign() * torch.expm1(log_one_more)

    def _inverse(self, y: Tensor) -> Tensor:
        m, log_one_more = self._exponent(y), torch.log1p(y.abs())
        is_log = m < 1e-6
        m_there = torch.where(is_log, 1.0, m)
        return y.sign() * torch.where(is_log, log_one_more, torch.expm1(m_there * log_one_more) / m_there)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Return log dx/du."""
        return (1.0 - self._exponent(y)) * torch.log1p(y.abs())

    def pull(self, interval: Interval) -> Interval:
        """Return the interval of u, in double precision."""
        low, high = (
            torch.where(e.isfinite(), self._inverse(torch.where(e.isfinite(), e, 0.0)), e)
            for e in (interval.low.double(), interval.high.double())
        )
        return Interval(low, high, high - low)
