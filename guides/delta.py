"""The point-mass guide of a plain autoencoder."""

import pyro
import pyro.distributions as dist
from pyro.nn import PyroModule
from torch import Tensor

from guides.encoders import Encoder


class AmortisedDelta(PyroModule):
    r"""All mass at the encoder's output, and no KL term: a plain autoencoder.

    .. math:: q(z \mid x) = \delta\big(z - m(x)\big)

    Training maximises log p(x | z = m(x)) alone, since ``kl_weight`` is 0. A point mass has no density, so it cannot
    propose samples for an importance-weighted likelihood.

    Args:
        encoder: a network with D outputs, m.
    """

    # How much of the KL term training counts.
    kl_weight = 0.0

    def __init__(self, encoder: Encoder) -> None:
        pyro.settings.set(module_local_params=True)
        super().__init__()
        self.encoder = encoder

    @staticmethod
    def outputs(latent: int) -> int:
        """Return how many outputs the encoder needs for a latent of this size."""
        return latent

    def forward(self, x: Tensor) -> Tensor:
        """Return z = m(x) ``(N, D)`` for x ``(N, *event)``."""
        with pyro.plate("data", len(x), dim=-1):
            return pyro.sample("z", dist.Delta(self.encoder(x)).to_event(1))
