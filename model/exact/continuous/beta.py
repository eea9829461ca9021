"""The Beta density, with its digits at large concentrations."""

import math

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.model.exact.discrete.deviance import deviance, stirling_error

_LOG_2PI = math.log(2.0 * math.pi)


class Beta(dist.Beta):
    r"""The Beta density, by Stirling's errors and deviances.

    .. math:: p(x) = \frac{x^{\alpha - 1} (1 - x)^{\beta - 1}}{B(\alpha, \beta)}, \qquad
              \log p(x) = \tfrac12 \log \frac{\alpha \beta}{2 \pi n} + \delta(n) - \delta(\alpha) - \delta(\beta)
              - D(\alpha, n x) - D(\beta, n (1 - x)) - \log x (1 - x), \qquad n = \alpha + \beta

    torch's is a Dirichlet, which cancels: in float32 its error is 0.05 nats at n = 10⁵.

    Args:
        concentration1: α, positive.
        concentration0: β, positive.
    """

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x), for 0 < x < 1."""
        if self._validate_args:
            self._validate_sample(value)
        a, b = self.concentration1, self.concentration0
        n = a + b
        rest = 1.0 - value
        errors = stirling_error(n) - stirling_error(a) - stirling_error(b)
        distances = deviance(a, n * value) + deviance(b, n * rest)
        half = 0.5 * (torch.log(a) + torch.log(b) - torch.log(n) - _LOG_2PI)
        return half + errors - distances - torch.log(value) - torch.log(rest)
