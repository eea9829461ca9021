"""The prior that is a learned mixture of Normals."""

import torch
from torch import nn
from torch.nn import functional as F

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.mixture_of_normals import MixtureOfNormals
from obsvae.model.priors.base import Prior
from obsvae.model.priors.normal import raw_of
from obsvae.options import WHOLE_NUMBER, Option


class MixturePrior(Prior):
    r"""A mixture of K diagonal Normals with learned shares, means and scales.

    .. math:: p(z) = \sum_{k=1}^{K} \pi_k \prod_{d=1}^{D} \mathcal{N}(z_d; \mu_{kd}, \sigma_{kd}^2), \qquad
              \sigma_{kd} = \text{floor} + \operatorname{softplus}(r_{kd})

    At first the means are draws from a Normal with standard deviation ½, so that the whole spreads about as far as the
    standard Normal.

    Args:
        latent: D, the number of latent dimensions; positive.
        components: K.
        floor: least σ.

    Raises:
        UsageError: for fewer than one component.
    """

    options = (Option("components", WHOLE_NUMBER, 10),)

    def __init__(self, latent: int, components: int = 10, floor: float = 1e-3) -> None:
        if components < 1:
            raise UsageError(f"prior mixture needs components of at least 1, but got {components}")
        super().__init__(latent)
        self.floor = floor
        self.logits = nn.Parameter(torch.zeros(components))
        self.loc = nn.Parameter(0.5 * torch.randn(components, latent))
        self.raw = nn.Parameter(torch.full((components, latent), raw_of(1.0 - floor)))

    def forward(self) -> Distribution:
        """Return p(z), with event shape ``(latent,)``."""
        return MixtureOfNormals(self.logits, self.loc, self.floor + F.softplus(self.raw))
