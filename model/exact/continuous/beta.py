"""The Beta density, with its digits at large and at small concentrations."""

import math

import torch
from torch import Size, Tensor
from torch.distributions import constraints
from torch.distributions.utils import broadcast_all

from obsvae.distribution import Shape
from obsvae.model.exact.continuous.unit_interval import UnitInterval, within_unit
from obsvae.model.exact.discrete.deviance import deviance, stirling_error

_LOG_2PI = math.log(2.0 * math.pi)


class Beta(UnitInterval):
    r"""The Beta density, by Stirling's errors and deviances.

    .. math:: p(x) = \frac{x^{\alpha - 1} (1 - x)^{\beta - 1}}{B(\alpha, \beta)}, \qquad
              \log p(x) = \tfrac12 \log \frac{\alpha \beta}{2 \pi n} + \delta(n) - \delta(\alpha) - \delta(\beta)
              - D(\alpha, n x) - D(\beta, n (1 - x)) - \log x (1 - x), \qquad n = \alpha + \beta

    torch's is a Dirichlet, which cancels: in float32 its error is 0.05 nats at n = 10⁵. Its draws are 0 or 1 by
    rounding.

    Args:
        concentration1: α, positive.
        concentration0: β, positive.
        log_concentration1: log α, for an α that may underflow.
        log_concentration0: log β, for a β that may underflow.
    """

    arg_constraints = {  # noqa: RUF012 - torch's own class attribute
        "concentration1": constraints.nonnegative,
        "concentration0": constraints.nonnegative,
    }
    is_open = True

    def __init__(
        self,
        concentration1: Tensor,
        concentration0: Tensor,
        log_concentration1: Tensor | None = None,
        log_concentration0: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        self.concentration1, self.concentration0, self.log_concentration1, self.log_concentration0 = broadcast_all(
            concentration1,
            concentration0,
            torch.log(concentration1) if log_concentration1 is None else log_concentration1,
            torch.log(concentration0) if log_concentration0 is None else log_concentration0,
        )
        super().__init__(self.concentration1.shape, validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: "Beta | None" = None) -> "Beta":
        """Return the same distribution over a larger batch shape."""
        new = self._get_checked_instance(Beta, _instance)
        for name in ("concentration1", "concentration0", "log_concentration1", "log_concentration0"):
            setattr(new, name, getattr(self, name).expand(batch_shape))
        super(Beta, new).__init__(Size(batch_shape), validate_args=False)  # validated when made
        new._validate_args = self._validate_args
        return new

    def log_density(self, value: Tensor, rest: Tensor) -> Tensor:
        """Return log p(x), for 0 < x < 1, from x and 1 − x."""
        a, b, log_a, log_b = self.concentration1, self.concentration0, self.log_concentration1, self.log_concentration0
        n = a + b
        log_n, log_value, log_rest = torch.log(n), torch.log(value), torch.log(rest)
        errors = stirling_error(n) - stirling_error(a, log_a) - stirling_error(b, log_b)
        distances = deviance(a, n * value, log_n + log_value, log_a) + deviance(b, n * rest, log_n + log_rest, log_b)
        return 0.5 * (log_a + log_b - log_n - _LOG_2PI) + errors - distances - log_value - log_rest

    @property
    def mean(self) -> Tensor:
        """E[x] = α / (α + β)."""
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @torch.no_grad()
    def sample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw x as the share of one of two Gamma variables, by their logarithms in double precision."""
        shape = self._extended_shape(sample_shape)

        def log_gamma(concentration: Tensor) -> Tensor:
            # G(c) = G(c + 1) U^(1 / c): with small c it underflows, but not its logarithm.
            c = concentration.double().expand(shape)
            return torch.log(torch._standard_gamma(c + 1.0)) + torch.log(torch.rand_like(c)) / c

        x = torch.sigmoid(log_gamma(self.concentration1) - log_gamma(self.concentration0))
        return within_unit(x.to(self.concentration1.dtype))
