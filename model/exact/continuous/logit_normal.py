"""The logit-Normal density."""

import math

import torch
from torch import Size, Tensor
from torch.distributions import constraints
from torch.distributions.utils import broadcast_all

from obsvae.distribution import Shape
from obsvae.model.exact.continuous.unit_interval import UnitInterval, within_unit

_LOG_2PI = math.log(2.0 * math.pi)


class LogitNormal(UnitInterval):
    r"""The density of x whose logit is Normal.

    .. math:: p(x) = \frac{1}{x (1 - x)} \, \mathcal{N}(\operatorname{logit} x; \mu, \sigma^2), \qquad x \in (0, 1)

    torch's sigmoid transform clamps x at its edges. This one does not.

    Args:
        loc: μ.
        scale: σ, positive.
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}  # noqa: RUF012 - torch's own attribute
    is_open = True
    has_rsample = True

    def __init__(self, loc: Tensor, scale: Tensor, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: "LogitNormal | None" = None) -> "LogitNormal":
        """Return the same distribution over a larger batch shape."""
        new = self._get_checked_instance(LogitNormal, _instance)
        new.loc, new.scale = self.loc.expand(batch_shape), self.scale.expand(batch_shape)
        super(LogitNormal, new).__init__(Size(batch_shape), validate_args=False)  # validated when made
        new._validate_args = self._validate_args
        return new

    def log_density(self, value: Tensor, rest: Tensor) -> Tensor:
        """Return log p(x), for 0 < x < 1, from x and 1 − x."""
        log_x, log_rest = torch.log(value), torch.log(rest)
        t = (log_x - log_rest - self.loc) / self.scale
        return -0.5 * (t.square() + _LOG_2PI) - torch.log(self.scale) - log_x - log_rest

    def rsample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw the logit, and return x strictly between 0 and 1."""
        shape = self._extended_shape(sample_shape)
        noise = torch.randn(shape, dtype=self.loc.dtype, device=self.loc.device)
        return within_unit(torch.sigmoid(self.loc + self.scale * noise))

    @property
    def mean(self) -> Tensor:
        """E[x], which has no closed form, by the trapezoidal rule: to 1e-8 for σ ≤ 10, to 1e-4 for σ ≤ 20."""
        nodes = torch.linspace(-8.0, 8.0, 161, dtype=self.loc.dtype, device=self.loc.device)
        weights = torch.softmax(-0.5 * nodes.square(), 0)
        return torch.sigmoid(self.loc.unsqueeze(-1) + self.scale.unsqueeze(-1) * nodes) @ weights
