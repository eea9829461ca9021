"""The prior that is a mixture of what the guide says of pseudo-inputs."""

import math
from collections.abc import Sequence

import pyro.distributions as dist
import torch
from torch import Tensor, nn

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.model.priors.base import Posterior, Prior
from obsvae.options import WHOLE_NUMBER, Option
from obsvae.units import variance_of


class VampPrior(Prior):
    r"""A mixture of the guide's posteriors at K pseudo-inputs u, which start as training data and are learned.

    .. math:: p(z) = \frac{1}{K} \sum_{k=1}^{K} q(z \mid u_k)

    Pseudo-inputs are in data units. They are learned in multiples of each entry's standard deviation, so that the unit
    of x makes no difference, and stay within what training data have shown. Entries that are missing in the row that
    they start as stay so, and so do levels without an order and constants. A 0 among counts, which an encoder sees
    apart from other numbers, is one of these once it moves. The weights of a run hold the K rows that all began as.

    Args:
        latent: D, the number of latent dimensions; positive.
        components: K.

    Raises:
        UsageError: for fewer than one component.

    Reference: Tomczak and Welling, *VAE with a VampPrior*, AISTATS 2018.
    """

    start: Tensor
    spread: Tensor
    low: Tensor
    high: Tensor

    options = (Option("components", WHOLE_NUMBER, 100),)

    def __init__(self, latent: int, components: int = 100) -> None:
        if components < 1:
            raise UsageError(f"prior vamp needs components of at least 1, but got {components}")
        super().__init__(latent)
        self.components = components

    def join(self, guide: Posterior, event_shape: Sequence[int]) -> None:
        """Take the guide that the prior shares.

        Raises:
            UsageError: for one without a density, or with conditions.
        """
        if not guide.has_density:
            raise UsageError("prior vamp is a mixture of what the guide says, but a point mass has no density")
        if guide.conditions:
            raise UsageError(
                "prior vamp is a mixture of what the guide says of pseudo-inputs, which have no conditions; take prior "
                "mixture, or leave the conditions out"
            )
        self.guide = guide
        self.register_buffer("start", torch.zeros(self.components, *event_shape))
        for name in ("spread", "low", "high"):
            self.register_buffer(name, torch.zeros(*event_shape))
        self.shift = nn.Parameter(torch.zeros(self.components, *event_shape))

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Start the pseudo-inputs as training data x ``(N, *event)``, spread evenly over the rows."""
        rows = torch.linspace(0, len(x) - 1, self.components, device=x.device).round().long()
        self.start.copy_(x[rows])
        each = x.shape[1:]
        self.spread.copy_(variance_of(x.double(), each).sqrt().nan_to_num(0.0))
        self.low.copy_(x.nan_to_num(math.inf).amin(0))
        self.high.copy_(x.nan_to_num(-math.inf).amax(0))

    def forward(self) -> Distribution:
        """Return p(z), with event shape ``(latent,)``."""
        if "guide" not in self._modules:
            raise UsageError("prior vamp shares a guide: make the pair by make_pair, or call prior.join(guide, shape)")
        inputs = torch.clamp(self.start + self.spread * self.shift, self.low, self.high)
        q = self.guide.given(inputs)  # K of them
        return dist.MixtureSameFamily(dist.Categorical(logits=self.shift.new_zeros(self.components)), q)
