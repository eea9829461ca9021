"""Densities on the unit interval: Kumaraswamy and the truncated Normal."""

import math

import numpy as np
import torch
from pyro.distributions.torch_distribution import TorchDistribution
from torch import Size, Tensor
from torch.distributions import constraints
from torch.distributions.utils import broadcast_all

from model.distributions.intervals import log1mexp, log_normal_interval, log_tail_integral

_LOG_2PI = math.log(2.0 * math.pi)


class Kumaraswamy(TorchDistribution):
    r"""A density on (0, 1) with a closed distribution function.

    .. math:: p(x) = a b \, x^{a - 1} (1 - x^a)^{b - 1}, \qquad F(x) = 1 - (1 - x^a)^b

    torch's goes through a chain of transforms that clamps at the edges. This one works on the log scale.

    Args:
        a: concentration at 1, positive.
        b: concentration at 0, positive.

    Reference: Kumaraswamy, *A generalized probability density function for double-bounded random processes*, 1980.
    """

    arg_constraints = {"a": constraints.positive, "b": constraints.positive}  # noqa: RUF012 - torch's own attribute
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, a: Tensor, b: Tensor, validate_args: bool | None = None) -> None:
        self.a, self.b = broadcast_all(a, b)
        super().__init__(self.a.shape, validate_args=validate_args)

    def expand(self, batch_shape: Size, _instance: "Kumaraswamy | None" = None) -> "Kumaraswamy":
        """Return the same distribution over a larger batch shape."""
        new = self._get_checked_instance(Kumaraswamy, _instance)
        new.a, new.b = self.a.expand(batch_shape), self.b.expand(batch_shape)
        super(Kumaraswamy, new).__init__(Size(batch_shape), validate_args=False)  # validated when made
        new._validate_args = self._validate_args
        return new

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x), for 0 < x < 1."""
        if self._validate_args:
            self._validate_sample(value)
        log_x = torch.log(value)
        log_rest = log1mexp(self.a * log_x)
        return torch.log(self.a) + torch.log(self.b) + (self.a - 1.0) * log_x + (self.b - 1.0) * log_rest

    def cdf(self, value: Tensor) -> Tensor:
        """Return 1 − (1 − xᵃ)ᵇ."""
        return -torch.expm1(self.b * torch.log1p(-(value**self.a)))

    def rsample(self, sample_shape: Size = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw x by the quantile of a uniform number strictly between 0 and 1."""
        u = torch.rand(self._extended_shape(sample_shape), dtype=self.a.dtype, device=self.a.device)
        log_rest = torch.log(u.clamp_min(torch.finfo(u.dtype).tiny)) / self.b
        return torch.exp(log1mexp(log_rest) / self.a)

    @property
    def mean(self) -> Tensor:
        """E[x] = b B(1 + 1/a, b)."""
        first = 1.0 + 1.0 / self.a
        return torch.exp(torch.log(self.b) + torch.lgamma(first) + torch.lgamma(self.b) - torch.lgamma(first + self.b))


class LogitNormal(TorchDistribution):
    r"""The density of x whose logit is Normal.

    .. math:: p(x) = \frac{1}{x (1 - x)} \, \mathcal{N}(\operatorname{logit} x; \mu, \sigma^2), \qquad x \in (0, 1)

    torch's sigmoid transform clamps x at its edges. This one does not.

    Args:
        loc: μ.
        scale: σ, positive.
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}  # noqa: RUF012 - torch's own attribute
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, loc: Tensor, scale: Tensor, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def expand(self, batch_shape: Size, _instance: "LogitNormal | None" = None) -> "LogitNormal":
        """Return the same distribution over a larger batch shape."""
        new = self._get_checked_instance(LogitNormal, _instance)
        new.loc, new.scale = self.loc.expand(batch_shape), self.scale.expand(batch_shape)
        super(LogitNormal, new).__init__(Size(batch_shape), validate_args=False)  # validated when made
        new._validate_args = self._validate_args
        return new

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x), for 0 < x < 1."""
        if self._validate_args:
            self._validate_sample(value)
        log_x, log_rest = torch.log(value), torch.log1p(-value)
        t = (log_x - log_rest - self.loc) / self.scale
        return -0.5 * (t.square() + _LOG_2PI) - torch.log(self.scale) - log_x - log_rest

    def rsample(self, sample_shape: Size = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw the logit, and strictly between 0 and 1 what it is the logit of."""
        shape = self._extended_shape(sample_shape)
        noise = torch.randn(shape, dtype=self.loc.dtype, device=self.loc.device)
        limits = torch.finfo(noise.dtype)
        return torch.sigmoid(self.loc + self.scale * noise).clamp(limits.tiny, 1.0 - limits.eps)

    @property
    def mean(self) -> Tensor:
        """E[x], which has no closed form, by Gauss–Hermite quadrature with 64 nodes."""
        nodes, weights = (torch.as_tensor(a).to(self.loc) for a in np.polynomial.hermite_e.hermegauss(64))
        x = torch.sigmoid(self.loc.unsqueeze(-1) + self.scale.unsqueeze(-1) * nodes)
        return (x * weights).sum(-1) / math.sqrt(2.0 * math.pi)


class TruncatedNormal(TorchDistribution):
    r"""A Normal density cut off outside [0, 1].

    .. math:: p(x) = \frac{\varphi\big(\frac{x - \mu}{\sigma}\big)}{\sigma \, \big(\Phi(\frac{1 - \mu}{\sigma}) -
              \Phi(\frac{-\mu}{\sigma})\big)}, \qquad x \in [0, 1]

    Args:
        loc: μ, which may lie outside.
        scale: σ, positive.
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}  # noqa: RUF012 - torch's own attribute
    support = constraints.unit_interval

    def __init__(self, loc: Tensor, scale: Tensor, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def expand(self, batch_shape: Size, _instance: "TruncatedNormal | None" = None) -> "TruncatedNormal":
        """Return the same distribution over a larger batch shape."""
        new = self._get_checked_instance(TruncatedNormal, _instance)
        new.loc, new.scale = self.loc.expand(batch_shape), self.scale.expand(batch_shape)
        super(TruncatedNormal, new).__init__(Size(batch_shape), validate_args=False)  # validated when made
        new._validate_args = self._validate_args
        return new

    def _standard(self, value: Tensor | float) -> Tensor:
        return (value - self.loc) / self.scale

    @property
    def _log_inside(self) -> Tensor:
        return log_normal_interval(self._standard(0.0), self._standard(1.0))

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x), for 0 ≤ x ≤ 1."""
        if self._validate_args:
            self._validate_sample(value)
        # From the bound that is nearer to μ: where μ lies beyond it, both φ(t) and the normaliser are as small as
        # φ(a), and what they have in common is left out.
        is_low = self.loc < 0.5
        a = torch.where(is_low, -self.loc, self.loc - 1.0) / self.scale
        distance = torch.where(is_low, value, 1.0 - value) / self.scale
        beyond = a > 0
        tail = torch.where(beyond, a, 1.0)
        outside = -distance * (tail + 0.5 * distance) - log_tail_integral(tail, 1.0 / self.scale)
        inside = self._log_ratio(self._standard(value))
        return torch.where(beyond, outside, inside) - torch.log(self.scale)

    def _log_ratio(self, t: Tensor) -> Tensor:
        # log φ(t) − log(Φ(b) − Φ(a)); where μ lies far outside both are large, and so is what they leave
        return -0.5 * (t.square() + _LOG_2PI) - self._log_inside

    def cdf(self, value: Tensor) -> Tensor:
        """Return P(X ≤ x)."""
        return torch.exp(log_normal_interval(self._standard(0.0), self._standard(value)) - self._log_inside)

    @torch.no_grad()
    def sample(self, sample_shape: Size = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw x by bisection of its distribution function, in double precision."""
        exact = TruncatedNormal(self.loc.double(), self.scale.double(), validate_args=False)
        u = torch.rand(self._extended_shape(sample_shape), dtype=torch.float64, device=self.loc.device)
        low, high = torch.zeros_like(u), torch.ones_like(u)
        for _ in range(60):
            middle = 0.5 * (low + high)
            below = exact.cdf(middle) < u
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return (0.5 * (low + high)).to(self.loc.dtype)

    @property
    def mean(self) -> Tensor:
        """E[x] = μ + σ (φ(a) − φ(b)) / (Φ(b) − Φ(a)) with a, b the standardised bounds."""
        a, b = self._standard(0.0), self._standard(1.0)
        return self.loc + self.scale * (torch.exp(self._log_ratio(a)) - torch.exp(self._log_ratio(b)))
