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
        distance = value - self.loc
        # log Γ(h + ½) − log Γ(h) − ½ log h, which goes to 0
        above, below = stirling_error(torch.stack([half + 0.5, half])).unbind()
        gammas = half * torch.log1p(0.5 / half) - 0.5 + above - below
        # t² / ν, and t itself, would overflow before its logarithm does
        unit = self.scale * torch.sqrt(self.df)
        root = distance / unit
        far = root.abs() > 1e4
        near = torch.log1p(torch.where(far, 0.0, root).square())
        log_root = torch.log(torch.where(far, distance, 1.0).abs()) - torch.log(unit)
        logarithm = torch.where(far, 2.0 * log_root, near)
        return gammas - 0.5 * math.log(2.0 * math.pi) - torch.log(self.scale) - (half + 0.5) * logarithm
