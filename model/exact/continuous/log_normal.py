"""The log-Normal density."""

import pyro.distributions as dist
import torch
from torch import Size, Tensor

from obsvae.distribution import Shape


class LogNormal(dist.LogNormal):
    r"""The log-Normal density, as Pyro has it, with samples above 0.

    .. math:: p(x) = \frac{1}{x} \, \mathcal{N}(\log x; \mu, \sigma^2), \qquad x > 0

    Pyro's draws underflow to 0.

    Args:
        loc: μ.
        scale: σ, positive.
    """

    def rsample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw x > 0."""
        x = super().rsample(sample_shape)
        return x.clamp(min=torch.finfo(x.dtype).tiny)

    def sample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw x > 0."""
        with torch.no_grad():
            return self.rsample(sample_shape)
