"""The Normal guide with a full covariance."""

import math

import pyro.distributions as dist
import torch
from torch import Tensor
from torch.distributions import Independent, register_kl
from torch.nn import functional as F

from obsvae.distribution import Distribution
from obsvae.guides.base import Guide, latent_of
from obsvae.guides.encoders import Encoder
from obsvae.guides.normal_kl import normal_kl


class FullRankNormal(dist.MultivariateNormal):
    """A Normal by the Cholesky factor of its covariance; its KL to independent Normals is in closed form."""


@register_kl(FullRankNormal, Independent)
def _(q: FullRankNormal, p: Independent) -> Tensor:
    r"""Return KL(q ‖ p) ``(N,)`` to Normals that are independent over dimensions.

    .. math:: \tfrac12 \sum_d \Big[ \frac{(L L^\top)_{dd} + (m_d - \mu_d)^2}{\sigma_d^2} - 1 \Big]
              + \sum_d \log\frac{\sigma_d}{L_{dd}}
    """
    log_det = 2.0 * q.scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    return normal_kl(q.loc, q.scale_tril.square().sum(-1), log_det, p)


class AmortisedFullRank(Guide):
    r"""A Normal whose mean and whole covariance an encoder computes from x.

    .. math:: q(z \mid x) = \mathcal{N}\big(z;\; m(x),\; L(x) L(x)^\top\big), \qquad
              L_{dd} = \text{floor} + \operatorname{softplus}(r_{dd}), \quad L_{de} = r_{de} \ (e < d)

    Of a linear decoder with Normal noise the posterior is of this form.

    Args:
        encoder: a network with D + D (D + 1) / 2 outputs, m and r, row by row.
        floor: least diagonal entry of L.

    Raises:
        UsageError: where the encoder has another number of outputs.
    """

    positions: Tensor

    def __init__(self, encoder: Encoder, floor: float = 1e-4) -> None:
        # the positive root of D² + 3 D − 2 outputs = 0
        solution = (math.sqrt(9 + 8 * encoder.outputs) - 3) / 2
        D = latent_of(encoder, "D + D (D + 1) / 2 outputs", solution)
        super().__init__(encoder)
        self.latent, self.floor = D, floor
        # Where in r each entry of L is found; one above the diagonal is the 0 before them.
        positions = torch.zeros(self.latent, self.latent, dtype=torch.long)
        rows, columns = torch.tril_indices(self.latent, self.latent)
        positions[rows, columns] = 1 + torch.arange(len(rows))
        self.register_buffer("positions", positions.flatten(), persistent=False)

    @staticmethod
    def outputs(latent: int) -> int:
        """Return how many outputs the encoder needs for a latent of this size."""
        return latent + latent * (latent + 1) // 2

    def given(self, x: Tensor, c: Tensor | None = None) -> Distribution:
        """Return q(z | x, c) for x ``(N, *event)`` and c ``(N, C)``."""
        D = self.latent
        loc, raw = self.encoder(x, c).tensor_split((D,), -1)
        r = F.pad(raw, (1, 0)).index_select(-1, self.positions).unflatten(-1, (D, D))  # (N, D, D)
        L = torch.where(torch.eye(D, dtype=torch.bool, device=r.device), self.floor + F.softplus(r), r)
        return FullRankNormal(loc, scale_tril=L)
