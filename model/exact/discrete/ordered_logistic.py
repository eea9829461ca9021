"""Ordered levels."""

import torch
from pyro.distributions.torch_distribution import TorchDistribution
from torch import Size, Tensor
from torch.distributions import constraints

from obsvae.distribution import Shape
from obsvae.model.exact.interval_mass.differences import log_logistic_interval


class OrderedLogistic(TorchDistribution):
    r"""The mass of ordered levels: a latent logistic variable cut at increasing points.

    .. math:: p(x = k) = S(c_k - \ell) - S(c_{k-1} - \ell), \qquad k = 0, \dots, C - 1, \quad
              c_{-1} = -\infty, \quad c_{C-1} = \infty

    Args:
        loc: ℓ, shape ``(*batch,)``.
        cutpoints: c₀ < … < c₍C−2₎, shape ``(C − 1,)``, or with axes before that broadcast to the batch.

    Reference: McCullagh, *Regression models for ordinal data*, 1980 (the cumulative logit).
    """

    arg_constraints = {"loc": constraints.real}  # noqa: RUF012 - torch's own class attribute
    has_rsample = False

    def __init__(self, loc: Tensor, cutpoints: Tensor, validate_args: bool | None = None) -> None:
        self.loc, self.cutpoints = loc, cutpoints
        super().__init__(loc.shape, validate_args=validate_args)

    @constraints.dependent_property
    def support(self) -> constraints.Constraint:
        """Whole numbers from 0 to C − 1."""
        return constraints.integer_interval(0, self.cutpoints.shape[-1])

    def expand(self, batch_shape: Shape, _instance: "OrderedLogistic | None" = None) -> "OrderedLogistic":
        """Return the same distribution over a larger batch shape."""
        return OrderedLogistic(self.loc.expand(batch_shape), self.cutpoints, validate_args=self._validate_args)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x)."""
        if self._validate_args:
            self._validate_sample(value)
        infinite = torch.full_like(self.cutpoints[..., :1], torch.inf)
        edges = torch.cat([-infinite, self.cutpoints, infinite], -1)
        shape = torch.broadcast_shapes(value.shape, self.batch_shape)
        level = value.long().expand(shape).unsqueeze(-1)
        edges = edges.expand(*shape, -1)
        low, high = edges.gather(-1, level).squeeze(-1), edges.gather(-1, level + 1).squeeze(-1)
        return log_logistic_interval(low - self.loc, high - self.loc, high - low)

    @property
    def mean(self) -> Tensor:
        """E[x] = Σₖ P(x > k) = Σₖ S(ℓ − cₖ)."""
        return torch.sigmoid(self.loc.unsqueeze(-1) - self.cutpoints).sum(-1)

    @torch.no_grad()
    def sample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw the latent variable, and count the points that it exceeds."""
        u = torch.rand(self._extended_shape(sample_shape), dtype=self.loc.dtype, device=self.loc.device)
        latent = self.loc + torch.logit(u.clamp_min(torch.finfo(u.dtype).tiny))
        return (latent.unsqueeze(-1) > self.cutpoints).sum(-1).to(self.loc.dtype)
