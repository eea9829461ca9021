"""The Normal guide whose covariance is a diagonal and a few directions."""

import pyro.distributions as dist
from torch import Tensor
from torch.distributions import Independent, register_kl
from torch.nn import functional as F

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.guides.base import Guide, latent_of
from obsvae.guides.encoders import Encoder
from obsvae.guides.full_rank import normal_kl
from obsvae.options import WHOLE_NUMBER, Option


class LowRankNormal(dist.LowRankMultivariateNormal):
    """A Normal whose covariance is a diagonal and a product; its KL to independent Normals is in closed form."""


@register_kl(LowRankNormal, Independent)
def _(q: LowRankNormal, p: Independent) -> Tensor:
    """Return KL(q ‖ p) ``(N,)`` to Normals that are independent over dimensions."""
    # log |s² + W Wᵀ| by the matrix determinant lemma
    log_det = q.cov_diag.log().sum(-1) + 2.0 * q._capacitance_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    return normal_kl(q.loc, q.cov_diag + q.cov_factor.square().sum(-1), log_det, p)


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

    def given(self, x: Tensor) -> Distribution:
        """Return q(z | x) for x ``(N, *event)``."""
        D = self.latent
        loc, raw, W = self.encoder(x).tensor_split((D, 2 * D), -1)
        s = self.floor + F.softplus(raw)
        return LowRankNormal(loc, W.unflatten(-1, (D, self.rank)), s.square())
