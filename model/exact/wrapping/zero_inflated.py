"""A distribution with more zeros than its own."""

import torch
from pyro.distributions.torch_distribution import TorchDistribution
from torch import Size, Tensor
from torch.distributions import constraints
from torch.nn import functional as F

from obsvae.distribution import Distribution, Shape
from obsvae.model.exact.interval_mass.closed_form import log_interval_mass
from obsvae.model.exact.interval_mass.interval import Interval


class ZeroInflated(TorchDistribution):
    r"""A mass π on 0 beside another distribution.

    .. math:: p(x) = \pi \, [x = 0] + (1 - \pi) \, p_\text{base}(x), \qquad \pi = \sigma(\ell)

    A base with a mass keeps its share of 0, to which π adds. With a density as its base this is a density with respect
    to Lebesgue measure and a unit mass on 0, where the base's density counts for nothing (a hurdle model).
    Pyro's takes masses only.

    Args:
        logits: ℓ, shape ``(*batch,)``.
        base: an elementwise distribution with the same batch shape.
        is_mass: whether the base has a mass.
        elsewhere: any point of the base's support that is not 0, at which its density is evaluated for the zeros.

    Reference: Lambert, *Zero-inflated Poisson regression*, 1992.
    """

    arg_constraints = {"logits": constraints.real}  # noqa: RUF012 - torch's own class attribute
    support = constraints.real

    def __init__(
        self,
        logits: Tensor,
        base: Distribution,
        is_mass: bool,
        elsewhere: Tensor,
        validate_args: bool | None = None,
    ) -> None:
        self.logits, self.base, self.is_mass, self.elsewhere = logits, base, is_mass, elsewhere
        super().__init__(logits.shape, validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: "ZeroInflated | None" = None) -> "ZeroInflated":
        """Return the same distribution over a larger batch shape."""
        logits, base = self.logits.expand(batch_shape), self.base.expand(batch_shape)
        return ZeroInflated(logits, base, self.is_mass, self.elsewhere, self._validate_args)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x)."""
        is_zero = value == 0
        at = value if self.is_mass else torch.where(is_zero, self.elsewhere.to(value.dtype), value)
        log_base = self.base.log_prob(at)
        log_zero = _log_with_zero(self.logits, log_base) if self.is_mass else F.logsigmoid(self.logits)
        return torch.where(is_zero, log_zero, F.logsigmoid(-self.logits) + log_base)

    @property
    def mean(self) -> Tensor:
        """E[x] = (1 − π) E_base[x]."""
        share = torch.sigmoid(-self.logits)
        return torch.where(share > 0, share * self.base.mean, 0.0)

    @torch.no_grad()
    def sample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw 0 or from the base."""
        draw = self.base.sample(sample_shape)
        return torch.where(torch.rand_like(draw) < torch.sigmoid(self.logits), 0.0, draw)


@log_interval_mass.register
def _(p: ZeroInflated, interval: Interval) -> Tensor:
    log_base = log_interval_mass(p.base, interval)
    has_zero = (interval.low < 0) & (interval.high >= 0)
    return torch.where(has_zero, _log_with_zero(p.logits, log_base), F.logsigmoid(-p.logits) + log_base)


def _log_with_zero(logits: Tensor, log_base: Tensor) -> Tensor:
    """Return log(π + (1 − π) m) for a mass m of the base, with two finite derivatives.

    The second derivative of ``torch.logaddexp`` is no number where one of its terms is nothing beside the other.
    """
    ratio = log_base - logits  # of the two terms, on the log scale
    above, below = F.logsigmoid(-logits) + log_base, F.logsigmoid(logits)
    return torch.where(ratio > 0, above + F.softplus(-ratio), below + F.softplus(ratio))
