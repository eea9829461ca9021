"""The Normal density cut off outside the unit interval."""

import math

import torch
from torch import Size, Tensor
from torch.distributions import constraints
from torch.distributions.utils import broadcast_all

from obsvae.distribution import Shape
from obsvae.model.exact.continuous.unit_interval import UnitInterval
from obsvae.model.exact.interval_mass.differences import log_normal_interval, log_tail_integral, ndtr

_LOG_2PI = math.log(2.0 * math.pi)


class TruncatedNormal(UnitInterval):
    r"""A Normal density cut off outside [0, 1].

    .. math:: p(x) = \frac{\varphi\big(\frac{x - \mu}{\sigma}\big)}{\sigma \, \big(\Phi(\frac{1 - \mu}{\sigma}) -
              \Phi(\frac{-\mu}{\sigma})\big)}, \qquad x \in [0, 1]

    Args:
        loc: μ, which may lie outside.
        scale: σ, positive.
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}  # noqa: RUF012 - torch's own attribute

    def __init__(self, loc: Tensor, scale: Tensor, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: "TruncatedNormal | None" = None) -> "TruncatedNormal":
        """Return the same distribution over a larger batch shape."""
        new = self._get_checked_instance(TruncatedNormal, _instance)
        new.loc, new.scale = self.loc.expand(batch_shape), self.scale.expand(batch_shape)
        super(TruncatedNormal, new).__init__(Size(batch_shape), validate_args=False)  # validated when made
        new._validate_args = self._validate_args
        return new

    def _standard(self, value: Tensor | float) -> Tensor:
        return (value - self.loc) / self.scale

    @property
    def _bounds(self) -> tuple[Tensor, Tensor]:
        return self._standard(0.0), self._standard(1.0)

    @property
    def _log_inside(self) -> Tensor:
        return log_normal_interval(*self._bounds, 1.0 / self.scale)

    def log_density(self, value: Tensor, rest: Tensor) -> Tensor:
        """Return log p(x), for 0 ≤ x ≤ 1, from x and 1 − x."""
        # From the bound that is nearer to μ: where μ lies beyond it, both φ(t) and the normaliser are as small as
        # φ(a), and what they have in common is left out.
        is_low, tail, beyond = self._beyond
        distance = torch.where(is_low, value, rest) / self.scale
        outside = -distance * (tail + 0.5 * distance) - log_tail_integral(tail, 1.0 / self.scale)
        within = TruncatedNormal(torch.where(beyond, 0.5, self.loc), torch.where(beyond, 1.0, self.scale), False)
        inside = -0.5 * (within._standard(value).square() + _LOG_2PI) - within._log_inside
        return torch.where(beyond, outside, inside) - torch.log(self.scale)

    @property
    def _beyond(self) -> tuple[Tensor, Tensor, Tensor]:
        """Whether the lower bound is nearer to μ; how many σ μ lies beyond the nearer bound, or 1; whether it does."""
        is_low = self.loc < 0.5
        a = torch.where(is_low, -self.loc, self.loc - 1.0) / self.scale
        # Of one that overflows the next to last number: at the bound itself it is multiplied by 0.
        return is_low, torch.where(a > 0, a, 1.0).clamp(max=torch.finfo(a.dtype).max), a > 0

    def cdf(self, value: Tensor) -> Tensor:
        """Return P(X ≤ x)."""
        is_low, tail, beyond = self._beyond
        distance = torch.where(is_low, value, 1.0 - value) / self.scale
        share = torch.exp(log_tail_integral(tail, distance) - log_tail_integral(tail, 1.0 / self.scale))
        outside = torch.where(is_low, share, 1.0 - share)
        below = log_normal_interval(self._standard(0.0), self._standard(value), value / self.scale)
        inside = torch.exp(below - self._log_inside)
        return torch.where(beyond, outside, inside)

    @torch.no_grad()
    def sample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw x by inversion of its distribution function, in double precision."""
        shape = self._extended_shape(sample_shape)
        exact = TruncatedNormal(self.loc.double().expand(shape), self.scale.double().expand(shape), validate_args=False)
        u = torch.rand(shape, dtype=torch.float64, device=self.loc.device)
        low, high = exact._bounds
        # In the lower half of the Normal: in the upper half its distribution function rounds to 1.
        flipped = low > 0
        low, high = torch.where(flipped, -high, low), torch.where(flipped, -low, high)
        below, above = ndtr(low), ndtr(high)
        standard = torch.special.ndtri(below + u * (above - below))
        x = exact.loc + exact.scale * torch.where(flipped, -standard, standard)
        # By bisection where both are 0 or nearly equal, so that their difference has lost its digits.
        lost = ~(above - below > 1e-10 * above) | (above < 1e-290)
        if lost.any():
            x[lost] = TruncatedNormal(exact.loc[lost], exact.scale[lost], validate_args=False)._bisected(u[lost])
        return x.clamp(0.0, 1.0).to(self.loc.dtype)

    def _bisected(self, u: Tensor) -> Tensor:
        """Return the quantiles u."""
        low, high = torch.zeros_like(u), torch.ones_like(u)
        for _ in range(60):
            middle = 0.5 * (low + high)
            below = self.cdf(middle) < u
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return 0.5 * (low + high)

    @property
    def mean(self) -> Tensor:
        """E[x] = μ + σ (φ(a) − φ(b)) / (Φ(b) − Φ(a)) with a, b the standardised bounds."""
        # In double precision, as the terms cancel where μ lies far outside.
        exact = TruncatedNormal(self.loc.double(), self.scale.double(), validate_args=False)
        is_low, tail, beyond = exact._beyond
        width = 1.0 / exact.scale
        # From the nearer bound: (1 − φ(b) / φ(a)) / ∫ − a
        hazard = -torch.expm1(-width * (tail + 0.5 * width)) / torch.exp(log_tail_integral(tail, width))
        # Far beyond, the difference has lost all digits, and x is exponential with mean σ / a.
        depth = exact.scale * torch.where((tail > 1e4) & (width * tail > 40.0), 1.0 / tail, hazard - tail)
        outside = torch.where(is_low, depth, 1.0 - depth)
        ends = [torch.exp(-0.5 * (t.square() + _LOG_2PI) - exact._log_inside) for t in exact._bounds]
        inside = exact.loc + exact.scale * (ends[0] - ends[1])
        return torch.where(beyond, outside, inside).clamp(0.0, 1.0).to(self.loc.dtype)
