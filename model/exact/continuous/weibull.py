"""Weibull, on the positive reals."""

import pyro.distributions as dist
import torch
from torch import Tensor


class Weibull(dist.Weibull):
    r"""The Weibull density, on the log scale.

    .. math:: p(x) = \frac{k}{\lambda} \Big(\frac{x}{\lambda}\Big)^{k - 1} e^{-(x / \lambda)^k}

    torch's goes through powers of x, which over- and underflow in float32.

    Args:
        scale: λ, positive.
        concentration: k, positive.
    """

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x), for x > 0."""
        if self._validate_args:
            self._validate_sample(value)
        log_power = self.concentration * (torch.log(value) - torch.log(self.scale))
        return torch.log(self.concentration) + log_power - torch.log(value) - torch.exp(log_power)
