"""The prior that is a learned normalising flow."""

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.distribution import Distribution
from obsvae.flows import FLOW_OPTIONS, Flow
from obsvae.model.priors.base import Prior


class FlowPrior(Prior):
    r"""A standard Normal that learned invertible maps T lead to; at first it is the standard Normal.

    .. math:: \log p(z) = \log \mathcal{N}(T(z); 0, I) + \log \Big| \det \frac{\partial T}{\partial z} \Big|

    A density takes one pass through the maps, a draw two with couplings and D with autoregressive ones.

    Args:
        latent: D, the number of latent dimensions; positive.
        kind: ``coupling`` or ``autoregressive``, see :class:`Flow`.
        transforms: number of maps.
        width: of their networks' hidden layers.

    Raises:
        UsageError: for options out of range, or where zuko is not installed.

    Reference: Chen et al., *Variational lossy autoencoder*, ICLR 2017 (autoregressive flow priors).
    """

    zero: Tensor
    one: Tensor

    options = FLOW_OPTIONS

    def __init__(self, latent: int, kind: str = "coupling", transforms: int = 3, width: int = 64) -> None:
        super().__init__(latent)
        self.flow = Flow(latent, 0, kind, transforms, width)
        self.register_buffer("zero", torch.zeros(()), persistent=False)
        self.register_buffer("one", torch.ones(()), persistent=False)

    def forward(self) -> Distribution:
        """Return p(z), with event shape ``(latent,)``."""
        base = dist.Normal(self.zero, self.one).expand((self.latent,)).to_event(1)
        return self.flow(base, scores_fast=True)
