"""The Gamma density, with its digits at large concentrations."""

import math

import pyro.distributions as dist
import torch
from torch import Tensor
from torch.distributions import constraints

from obsvae.distribution import Shape
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
        log_mean: log α / β, for a β that may under- or overflow.
    """

    arg_constraints = {  # noqa: RUF012 - torch's own class attribute
        "concentration": constraints.positive,
        "rate": constraints.nonnegative,
    }

    def __init__(
        self, concentration: Tensor, rate: Tensor, log_mean: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        super().__init__(concentration, rate, validate_args)
        if log_mean is None:
            log_mean = torch.log(self.concentration.double()) - torch.log(self.rate.double())
        self.log_mean = log_mean.expand(self.rate.shape)

    def expand(self, batch_shape: Shape, _instance: "Gamma | None" = None) -> "Gamma":
        """Return the same distribution over a larger batch shape."""
        new = super().expand(batch_shape, self._get_checked_instance(Gamma, _instance))
        new.log_mean = self.log_mean.expand(batch_shape)
        return new

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x), for x > 0."""
        if self._validate_args:
            self._validate_sample(value)
        a = self.concentration
        log_a, log_value = torch.log(a), torch.log(value)
        distance = deviance(a, self.rate * value, log_a - self.log_mean.to(a.dtype) + log_value)
        return 0.5 * (log_a - _LOG_2PI) - log_value - stirling_error(a) - distance
