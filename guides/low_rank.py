"""The Normal guide whose covariance is a diagonal and a few directions."""

from typing import ClassVar

import pyro.distributions as dist
from torch import Size, Tensor
from torch.distributions import Independent, constraints, register_kl
from torch.nn import functional as F

from obsvae.distribution import Distribution, Shape
from obsvae.errors import UsageError
from obsvae.guides.base import Guide, latent_of
from obsvae.guides.encoders import Encoder
from obsvae.guides.normal_kl import normal_kl
from obsvae.options import WHOLE_NUMBER, Option


class LowRankNormal(dist.TorchDistribution):
    r"""A Normal whose covariance is a diagonal and a product: :math:`\operatorname{diag}(s^2) + W W^\top`.

    It computes in double precision: its log-density is a difference of terms of size |W|² / s², of which single
    precision leaves nothing where s is a thousandth of W. The KL to independent Normals is in closed form.

    Args:
        loc: mean ``(*batch, D)``.
        factor: W, ``(*batch, D, R)``.
        scale: s, positive ``(*batch, D)``.
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor, factor: Tensor, scale: Tensor) -> None:
        self.dtype = loc.dtype
        # Not validated: these are what a network made, and the square of a scale in double precision is positive.
        self.exact = dist.LowRankMultivariateNormal(
            loc.double(), factor.double(), scale.double().square(), validate_args=False
        )
        super().__init__(loc.shape[:-1], loc.shape[-1:], validate_args=False)

    def expand(self, batch_shape: Shape, _instance: object = None) -> "LowRankNormal":
        """Return the same distribution over a larger batch shape."""
        batch, one = Size(batch_shape), self.exact
        factor = one.cov_factor.expand(*batch, -1, -1)
        found = LowRankNormal(one.loc.expand(*batch, -1), factor, one.cov_diag.sqrt().expand(*batch, -1))
        found.dtype = self.dtype
        return found

    @property
    def mean(self) -> Tensor:
        """E[z], ``(*batch, D)``."""
        return self.exact.mean.to(self.dtype)

    @property
    def variance(self) -> Tensor:
        """The variance of each dimension, ``(*batch, D)``."""
        return self.exact.variance.to(self.dtype)

    def rsample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty tuple, as torch has it
        """Draw z ``(*sample, *batch, D)``."""
        return self.exact.rsample(Size(sample_shape)).to(self.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log q(z) in nats ``(*sample, *batch)`` for z ``(*sample, *batch, D)``."""
        return self.exact.log_prob(value.double()).to(self.dtype)


@register_kl(LowRankNormal, Independent)
def _(q: LowRankNormal, p: Independent) -> Tensor:
    """Return KL(q ‖ p) ``(N,)`` to Normals that are independent over dimensions."""
    one = q.exact
    # log |s² + W Wᵀ| by the matrix determinant lemma
    log_det = one.cov_diag.log().sum(-1) + 2.0 * one._capacitance_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    return normal_kl(one.loc, one.cov_diag + one.cov_factor.square().sum(-1), log_det, p).to(q.dtype)


class AmortisedLowRank(Guide):
    r"""A Normal whose covariance is a diagonal and R directions, which an encoder computes from x.

    .. math:: q(z \mid x) = \mathcal{N}\big(z;\; m(x),\; \operatorname{diag}(s(x)^2) + W(x) W(x)^\top\big), \qquad
              s_d = \text{floor} + \operatorname{softplus}(r_d), \quad W \in \mathbb{R}^{D \times R}

    Args:
        encoder: a network with D (2 + R) outputs, m, r and W.
        rank: R.
        floor: least s.

    Raises:
        UsageError: for a rank below 1, or where the encoder has another number of outputs.

    Reference: Ong, Nott and Smith, *Gaussian variational approximation with a factor covariance structure*, 2018.
    """

    options = (Option("rank", WHOLE_NUMBER, 4),)

    def __init__(self, encoder: Encoder, rank: int = 4, floor: float = 1e-4) -> None:
        self.outputs(1, rank)
        D = latent_of(encoder, f"(2 + {rank}) D outputs", encoder.outputs / (2 + rank))
        super().__init__(encoder)
        self.latent, self.rank, self.floor = D, rank, floor

    @staticmethod
    def outputs(latent: int, rank: int = 4) -> int:
        """Return how many outputs the encoder needs for a latent of this size."""
        if rank < 1:
            raise UsageError(f"guide low-rank needs rank of at least 1, but got {rank}; normal is that without any")
        return latent * (2 + rank)

    def given(self, x: Tensor, c: Tensor | None = None) -> Distribution:
        """Return q(z | x, c) for x ``(N, *event)`` and c ``(N, C)``."""
        D = self.latent
        loc, raw, W = self.encoder(x, c).tensor_split((D, 2 * D), -1)
        s = self.floor + F.softplus(raw)
        return LowRankNormal(loc, W.unflatten(-1, (D, self.rank)), s)
