"""The Kumaraswamy density."""

import torch
from torch import Size, Tensor
from torch.distributions import constraints
from torch.distributions.utils import broadcast_all

from obsvae.distribution import Shape
from obsvae.model.exact.continuous.unit_interval import UnitInterval, log_part, within_unit
from obsvae.model.exact.discrete.deviance import stirling_error
from obsvae.model.exact.interval_mass.differences import log_minus_log1mexp
from obsvae.model.exact.overflow import exp_or_inf

# Below the one, 1 − exp(−eˢ) is eˢ − e²ˢ / 2 to double precision; above the other, it is 1.
_TINY, _MANY = -17.0, 5.0
_LEAST = -600.0  # of log a, for a finite 1/a


class Kumaraswamy(UnitInterval):
    r"""A density on (0, 1) with a closed distribution function.

    .. math:: p(x) = a b \, x^{a - 1} (1 - x^a)^{b - 1}, \qquad F(x) = 1 - (1 - x^a)^b

    torch's goes through a chain of transforms in which 1 − xᵃ rounds: −∞ at x = 10⁻⁶, a = 2, b = 3 in float32, where
    the truth is −12. This one works on the log scale.

    Args:
        a: concentration at 1, positive.
        b: concentration at 0, positive.
        log_a: log a, for an a that may under- or overflow.

    Reference: Kumaraswamy, *A generalized probability density function for double-bounded random processes*, 1980.
    """

    arg_constraints = {  # noqa: RUF012 - torch's own class attribute
        "a": constraints.nonnegative,
        "b": constraints.positive,
    }
    is_open = True
    has_rsample = True

    def __init__(self, a: Tensor, b: Tensor, log_a: Tensor | None = None, validate_args: bool | None = None) -> None:
        self.a, self.b, self.log_a = broadcast_all(a, b, torch.log(a) if log_a is None else log_a)
        super().__init__(self.a.shape, validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: "Kumaraswamy | None" = None) -> "Kumaraswamy":
        """Return the same distribution over a larger batch shape."""
        new = self._get_checked_instance(Kumaraswamy, _instance)
        new.a, new.b, new.log_a = (t.expand(batch_shape) for t in (self.a, self.b, self.log_a))
        super(Kumaraswamy, new).__init__(Size(batch_shape), validate_args=False)  # validated when made
        new._validate_args = self._validate_args
        return new

    def log_density(self, value: Tensor, rest: Tensor) -> Tensor:
        """Return log p(x), for 0 < x < 1, from x and 1 − x."""
        log_value = log_part(value, rest)
        log_size = torch.log(-log_value)
        # xᵃ = e^−y; for small y, 1 − xᵃ is y (1 − y / 2 …), where log a is taken b times in all: not b − 1 times and
        # once, which cancel where it is large.
        s = self.log_a + log_size
        is_small, is_tiny = s < 0.0, s < _TINY
        y = exp_or_inf(s)
        small = torch.where(is_small & ~is_tiny, y, 1.0)
        ratio = torch.where(is_tiny, -0.5 * y.clamp(max=1.0), torch.log(-torch.expm1(-small) / small))
        near_1 = self.b * self.log_a + (self.b - 1.0) * (log_size + ratio)
        elsewhere = self.log_a + (self.b - 1.0) * torch.log1p(-torch.exp(-torch.exp(s.clamp(0.0, _MANY))))
        return torch.log(self.b) - log_value - y + torch.where(is_small, near_1, elsewhere)

    def rsample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw x by the quantile of a uniform number strictly between 0 and 1."""
        u = torch.rand(self._extended_shape(sample_shape), dtype=self.a.dtype, device=self.a.device)
        log_rest = torch.log(u.clamp_min(torch.finfo(u.dtype).tiny)) / self.b
        return within_unit(torch.exp(-torch.exp(log_minus_log1mexp(log_rest) - self.log_a)))

    @property
    def mean(self) -> Tensor:
        """E[x] = b B(1 + 1/a, b)."""
        # In double precision, and Γ(f) / Γ(f + b) by Stirling's formula, as its logarithms are large where 1/a is.
        b, log_a = self.b.double(), self.log_a.double()
        f = 1.0 + torch.exp(-log_a.clamp(min=_LEAST))
        log_last = torch.log1p((1.0 + b) * torch.exp(log_a)) - log_a  # log(f + b)
        errors = stirling_error(f) - stirling_error(f + b)
        log_ratio = b - (f - 0.5) * torch.log1p(b / f) - b * log_last + errors
        return torch.exp(torch.lgamma(1.0 + b) + log_ratio).to(self.a.dtype)
