"""The mean-field Normal guide."""

import pyro.distributions as dist
from torch import Tensor
from torch.nn import functional as F

from obsvae.distribution import Distribution
from obsvae.guides.base import Guide, latent_of
from obsvae.guides.encoders import Encoder


class AmortisedNormal(Guide):
    r"""A diagonal Normal whose parameters an encoder computes from x.

    .. math:: q(z \mid x) = \prod_{d=1}^{D} \mathcal{N}\big(z_d;\; m_d(x),\; s_d(x)^2\big), \qquad
              s_d = \text{floor} + \operatorname{softplus}(r_d)

    Args:
        encoder: a network with 2 D outputs, m and r.
        floor: least standard deviation.

    Raises:
        UsageError: where the encoder's outputs are not two per latent dimension.

    Reference: Kingma and Welling, *Auto-encoding variational Bayes*, ICLR 2014.
    """

    def __init__(self, encoder: Encoder, floor: float = 1e-4) -> None:
        latent_of(encoder, "2 D outputs", encoder.outputs / 2)
        super().__init__(encoder)
        self.floor = floor

    @staticmethod
    def outputs(latent: int) -> int:
        """Return how many outputs the encoder needs for a latent of this size."""
        return 2 * latent

    def given(self, x: Tensor, c: Tensor | None = None) -> Distribution:
        """Return q(z | x, c) for x ``(N, *event)`` and c ``(N, C)``."""
        loc, raw = self.encoder(x, c).chunk(2, -1)
        return dist.Normal(loc, self.floor + F.softplus(raw)).to_event(1)
