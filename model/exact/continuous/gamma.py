"""The Gamma density, with its digits at large concentrations."""

import math

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.model.exact.discrete.deviance import deviance, stirling_error

_LOG_2PI = math.log(2.0 * math.pi)


class Gamma(dist.Gamma):
    r"""The Gamma density, by Stirling's error and a deviance.

    .. math:: p(x) = \frac{\beta^\alpha x^{\alpha - 1} e^{-\beta x}}{\Gamma(\alpha)}, \qquad
              \log p(x) = \tfrac12 \log \frac{\alpha}{2\pi} - \log x - \delta(\alpha) - D(\alpha, \beta x)

    torch's cancels: in float32 its error is 0.2 nats at α = 10⁵.

    Args:
        concentration: α, positive.
        rate: β, positive.
    """

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x), for x > 0."""
        if self._validate_args:
            self._validate_sample(value)
        a = self.concentration
        distance = deviance(a, self.rate * value, torch.log(self.rate) + torch.log(value))
        return 0.5 * (torch.log(a) - _LOG_2PI) - torch.log(value) - stirling_error(a) - distance
