"""The point-mass guide of a plain autoencoder."""

import pyro.distributions as dist
from torch import Tensor

from obsvae.distribution import Distribution
from obsvae.guides.base import Guide


class AmortisedDelta(Guide):
    r"""All mass at the encoder's output, and no KL term: a plain autoencoder.

    .. math:: q(z \mid x) = \delta\big(z - m(x)\big)

    A point mass has no density: training maximises log p(x | z = m(x)) alone, and it cannot propose particles for an
    importance-weighted likelihood.

    Args:
        encoder: a network with D outputs, m.
    """

    has_density = False

    @staticmethod
    def outputs(latent: int) -> int:
        """Return how many outputs the encoder needs for a latent of this size."""
        return latent

    def given(self, x: Tensor, c: Tensor | None = None) -> Distribution:
        """Return the point m(x) for x ``(N, *event)``."""
        return dist.Delta(self.encoder(x, c)).to_event(1)
