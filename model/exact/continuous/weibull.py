"""Weibull, on the positive reals."""

import pyro.distributions as dist
import torch
from torch import Size, Tensor
from torch.distributions import constraints

from obsvae.distribution import Shape
from obsvae.model.exact.overflow import exp_or_inf

_LARGE = 1e4  # beyond it a power of x overflows, and its logarithm must not


class Weibull(dist.Weibull):
    r"""The Weibull density, on the log scale.

    .. math:: p(x) = \frac{k}{\lambda} \Big(\frac{x}{\lambda}\Big)^{k - 1} e^{-(x / \lambda)^k}

    torch's goes through powers of x, which over- and underflow in float32; its draws are 0 by rounding.

    Args:
        scale: λ, positive.
        concentration: k, positive.
        log_scale: log λ, for a λ that may under- or overflow.
    """

    arg_constraints = {  # noqa: RUF012 - torch's own class attribute
        "scale": constraints.nonnegative,
        "concentration": constraints.positive,
    }

    def __init__(
        self, scale: Tensor, concentration: Tensor, log_scale: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        super().__init__(scale, concentration, validate_args)
        self.log_scale = torch.log(self.scale) if log_scale is None else log_scale.expand(self.scale.shape)

    def expand(self, batch_shape: Shape, _instance: "Weibull | None" = None) -> "Weibull":
        """Return the same distribution over a larger batch shape."""
        new = super().expand(batch_shape, self._get_checked_instance(Weibull, _instance))
        new.log_scale = self.log_scale.expand(batch_shape)
        return new

    def rsample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw x > 0, by the logarithm of an exponential variable."""
        shape = self._extended_shape(sample_shape)
        log_power = torch.log(torch.empty(shape, dtype=self.scale.dtype, device=self.scale.device).exponential_())
        x = torch.exp(self.log_scale + log_power / self.concentration)
        return x.clamp(min=torch.finfo(x.dtype).tiny)

    def sample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw x > 0."""
        with torch.no_grad():
            return self.rsample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x), for x > 0."""
        if self._validate_args:
            self._validate_sample(value)
        log_value = torch.log(value)
        log_power = (self.concentration * (log_value - self.log_scale)).clamp(max=_LARGE)
        return torch.log(self.concentration) + log_power - log_value - exp_or_inf(log_power)
