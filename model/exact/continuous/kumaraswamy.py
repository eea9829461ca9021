"""The Kumaraswamy density."""

import torch
from pyro.distributions.torch_distribution import TorchDistribution
from torch import Size, Tensor
from torch.distributions import constraints
from torch.distributions.utils import broadcast_all

from obsvae.distribution import Shape
from obsvae.model.exact.interval_mass.differences import log1mexp


class Kumaraswamy(TorchDistribution):
    r"""A density on (0, 1) with a closed distribution function.

    .. math:: p(x) = a b \, x^{a - 1} (1 - x^a)^{b - 1}, \qquad F(x) = 1 - (1 - x^a)^b

    torch's goes through a chain of transforms in which 1 − xᵃ rounds: −∞ at x = 10⁻⁶, a = 2, b = 3 in float32, where
    the truth is −12. This one works on the log scale.

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

    def expand(self, batch_shape: Shape, _instance: "Kumaraswamy | None" = None) -> "Kumaraswamy":
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

    def rsample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw x by the quantile of a uniform number strictly between 0 and 1."""
        u = torch.rand(self._extended_shape(sample_shape), dtype=self.a.dtype, device=self.a.device)
        limits = torch.finfo(u.dtype)
        log_rest = torch.log(u.clamp_min(limits.tiny)) / self.b
        return torch.exp(log1mexp(log_rest) / self.a).clamp(limits.tiny, 1.0 - limits.eps)  # it rounds to the edges

    @property
    def mean(self) -> Tensor:
        """E[x] = b B(1 + 1/a, b)."""
        # In double precision: the logarithms of gamma functions are large, and their difference is not.
        b, first = self.b.double(), 1.0 + 1.0 / self.a.double()
        log_mean = torch.log(b) + torch.lgamma(first) + torch.lgamma(b) - torch.lgamma(first + b)
        return torch.exp(log_mean).to(self.a.dtype)
