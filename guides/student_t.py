"""The guide of independent Student's t distributions."""

import pyro.distributions as dist
from torch import Tensor
from torch.nn import functional as F

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.guides.base import Guide, latent_of
from obsvae.guides.encoders import Encoder
from obsvae.options import NUMBER, Option


class AmortisedStudentT(Guide):
    r"""Independent Student's t distributions whose locations and scales an encoder computes from x.

    .. math:: q(z \mid x) = \prod_{d=1}^{D} \mathcal{T}_\nu\big(z_d;\; m_d(x),\; s_d(x)\big), \qquad
              s_d = \text{floor} + \operatorname{softplus}(r_d)

    Its tails are heavier than a Normal's: as a proposal it leaves fewer importance weights large.

    Args:
        encoder: a network with 2 D outputs, m and r.
        df: degrees of freedom ν.
        floor: least scale.

    Raises:
        UsageError: for ν that is not positive, or where the encoder has another number of outputs.
    """

    options = (Option("df", NUMBER, 5.0),)

    def __init__(self, encoder: Encoder, df: float = 5.0, floor: float = 1e-4) -> None:
        self.outputs(1, df)
        latent_of(encoder, "2 D outputs", encoder.outputs / 2)
        super().__init__(encoder)
        self.df, self.floor = df, floor

    @staticmethod
    def outputs(latent: int, df: float = 5.0) -> int:
        """Return how many outputs the encoder needs for a latent of this size."""
        if not 0.0 < df < float("inf"):
            raise UsageError(f"guide student-t needs df positive and finite, but got {df:g}; normal has none")
        return 2 * latent

    def given(self, x: Tensor, c: Tensor | None = None) -> Distribution:
        """Return q(z | x, c) for x ``(N, *event)`` and c ``(N, C)``."""
        loc, raw = self.encoder(x, c).chunk(2, -1)
        return dist.StudentT(self.df, loc, self.floor + F.softplus(raw)).to_event(1)
