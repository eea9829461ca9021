"""The logistic density."""

import pyro.distributions as dist
import torch
from torch import Size, Tensor
from torch.nn import functional as F

from obsvae.distribution import Shape


class Logistic(dist.Logistic):
    r"""The logistic density, with finite samples.

    .. math:: p(x) = \frac{e^{-t}}{\sigma (1 + e^{-t})^2}, \qquad t = \frac{x - \mu}{\sigma}

    Pyro's draws are the quantiles of u ∈ [0, 1), of which one in 2²⁴ is that of 0 in float32: −∞. Its log-density is
    NaN where t overflows.

    Args:
        loc: μ.
        scale: σ, positive.
    """

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x)."""
        if self._validate_args:
            self._validate_sample(value)
        t = (value - self.loc) / self.scale
        return F.logsigmoid(t) + F.logsigmoid(-t) - torch.log(self.scale)

    def rsample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw x by the quantile of a uniform number strictly between 0 and 1."""
        u = torch.rand(self._extended_shape(sample_shape), dtype=self.loc.dtype, device=self.loc.device)
        return self.icdf(u.clamp_min(torch.finfo(u.dtype).tiny))
