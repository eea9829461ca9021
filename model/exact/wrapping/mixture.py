"""A mixture of distributions of one family."""

from collections.abc import Sequence

import torch
from pyro.distributions.torch_distribution import TorchDistribution
from torch import Size, Tensor
from torch.distributions import constraints

from obsvae.distribution import Distribution, Shape
from obsvae.model.exact.interval_mass.closed_form import log_interval_mass
from obsvae.model.exact.interval_mass.interval import Interval


class Mixture(TorchDistribution):
    r"""A mixture, elementwise.

    .. math:: p(x) = \sum_{c=1}^{C} w_c \, p_c(x), \qquad w = \operatorname{softmax}(\ell)

    :class:`torch.distributions.MixtureSameFamily` wants the components in one batched distribution; these may have
    parameters of different shapes.

    Args:
        logits: ℓ, shape ``(*batch, C)``.
        components: C elementwise distributions with batch shape ``(*batch)``.
    """

    arg_constraints = {"logits": constraints.real_vector}  # noqa: RUF012 - torch's own class attribute

    def __init__(self, logits: Tensor, components: Sequence[Distribution], validate_args: bool | None = None) -> None:
        self.logits, self.components = logits, components
        super().__init__(logits.shape[:-1], validate_args=validate_args)

    @constraints.dependent_property
    def support(self) -> constraints.Constraint | None:
        """Return the support of the components."""
        return self.components[0].support

    def expand(self, batch_shape: Shape, _instance: "Mixture | None" = None) -> "Mixture":
        """Return the same distribution over a larger batch shape."""
        logits = self.logits.expand(*batch_shape, -1)
        return Mixture(logits, [c.expand(batch_shape) for c in self.components], self._validate_args)

    @property
    def _log_weights(self) -> Tensor:
        return torch.log_softmax(self.logits, -1)

    def _mix(self, log_values: list[Tensor]) -> Tensor:
        stacked = torch.stack(log_values, -1)  # (*batch, C)
        return torch.logsumexp(self._log_weights + stacked, -1)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x)."""
        return self._mix([c.log_prob(value) for c in self.components])

    @property
    def mean(self) -> Tensor:
        """E[x] = Σ w_c E_c[x]."""
        weights = torch.softmax(self.logits, -1)
        return torch.where(weights > 0, weights * torch.stack([c.mean for c in self.components], -1), 0.0).sum(-1)

    @torch.no_grad()
    def sample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw a component, and from it."""
        chosen = torch.distributions.Categorical(logits=self.logits).sample(sample_shape)
        draws = torch.stack([c.sample(sample_shape) for c in self.components], -1)
        return draws.gather(-1, chosen.unsqueeze(-1)).squeeze(-1)


@log_interval_mass.register
def _(p: Mixture, interval: Interval) -> Tensor:
    return p._mix([log_interval_mass(c, interval) for c in p.components])
