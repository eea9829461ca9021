"""A distribution some of whose values may be missing."""

from collections.abc import Callable

import torch
from pyro.distributions.torch_distribution import TorchDistribution
from torch import Size, Tensor
from torch.distributions import constraints

from obsvae.distribution import Distribution, Shape


class _Anything(constraints.Constraint):
    """Any number, and NaN: the base looks at what is seen."""

    def check(self, value: Tensor) -> Tensor:
        """Return true throughout."""
        return torch.ones_like(value, dtype=torch.bool)


class Partial(TorchDistribution):
    r"""Another distribution, where NaN stands for a missing value and has log-probability 0.

    .. math:: \log p(x) = [x \text{ is seen}] \, \log p_\text{base}(x)

    The gradient with respect to the base's parameters is exactly 0 where x is missing: the base is evaluated at another
    point of its support there, at which its gradient is finite.

    Args:
        make: from outputs to the base, an elementwise distribution.
        eta: the outputs, ``(*batch, outputs)``.
        elsewhere: a point of the base's support for each feature, broadcastable to ``(*batch,)``.
        start: outputs at which the base has a density and a slope there, broadcastable to eta: an output of a missing
            entry may be beyond what the base takes, and its slope no number.
    """

    arg_constraints = {}  # noqa: RUF012 - torch's own class attribute
    support = _Anything()

    def __init__(
        self,
        make: Callable[[Tensor], Distribution],
        eta: Tensor,
        elsewhere: Tensor,
        start: Tensor,
        validate_args: bool | None = None,
    ) -> None:
        self.make, self.eta, self.elsewhere, self.start = make, eta, elsewhere, start
        super().__init__(eta.shape[:-1], validate_args=validate_args)

    @property
    def base(self) -> Distribution:
        """The distribution of every entry."""
        return self.make(self.eta)

    def expand(self, batch_shape: Shape, _instance: "Partial | None" = None) -> "Partial":
        """Return the same distribution over a larger batch shape."""
        eta = self.eta.expand(*batch_shape, -1)
        return Partial(self.make, eta, self.elsewhere, self.start, self._validate_args)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x), 0 where x is NaN."""
        missing = torch.isnan(value)
        at = torch.where(missing, self.elsewhere.to(value.dtype), value)
        eta = torch.where(missing.unsqueeze(-1), self.start.to(self.eta.dtype), self.eta)
        return torch.where(missing, 0.0, self.make(eta).log_prob(at))

    @property
    def mean(self) -> Tensor:
        """E[x] of the base."""
        return self.base.mean

    @torch.no_grad()
    def sample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw from the base, every value."""
        return self.base.sample(sample_shape)
