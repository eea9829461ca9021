"""Student's t, with its digits at many degrees of freedom."""

import math

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.model.exact.discrete.deviance import stirling_error


class StudentT(dist.StudentT):
    r"""Student's t, by Stirling's errors.

    .. math:: p(x) = \frac{\Gamma(\frac{\nu + 1}{2})}{\Gamma(\frac{\nu}{2}) \sqrt{\nu \pi} \, \sigma}
              \Big(1 + \frac{t^2}{\nu}\Big)^{-\frac{\nu + 1}{2}}, \qquad t = \frac{x - \mu}{\sigma}

    torch's cancels: in float32 its error is 0.02 nats at ν = 10⁵.

    Args:
        df: ν, positive.
        loc: μ.
        scale: σ, positive.
    """

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x)."""
        if self._validate_args:
            self._validate_sample(value)
        half = 0.5 * self.df
        t = (value - self.loc) / self.scale
        # log Γ(h + ½) − log Γ(h) − ½ log h, which goes to 0
        gammas = half * torch.log1p(0.5 / half) - 0.5 + stirling_error(half + 0.5) - stirling_error(half)
        # t² / ν would overflow before its logarithm does
        root = t / torch.sqrt(self.df)
        far = root.abs() > 1e4
        near = torch.log1p(torch.where(far, 0.0, root).square())
        logarithm = torch.where(far, 2.0 * torch.log(torch.where(far, root, 1.0).abs()), near)
        return gammas - 0.5 * math.log(2.0 * math.pi) - torch.log(self.scale) - (half + 0.5) * logarithm
