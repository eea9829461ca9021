"""The binomial and negative binomial masses, with their digits at large counts."""

import math

import pyro.distributions as dist
import torch
from torch import Size, Tensor
from torch.nn import functional as F

from obsvae.distribution import Shape
from obsvae.model.exact.discrete.deviance import deviance, stirling_error
from obsvae.model.exact.overflow import draw_poisson

_LOG_2PI = math.log(2.0 * math.pi)


def _log_binomial(x: Tensor, rest: Tensor, n: Tensor, logits: Tensor) -> Tensor:
    """Return log C(n, x) pˣ qʳᵉˢᵗ for x, rest = n − x > 0 and p = σ(logits)."""
    # Side by side: of a few columns an operation costs more than its numbers.
    x, rest, n, logits = torch.broadcast_tensors(x, rest, n, logits)
    both = torch.stack([x, rest])
    error_of_n, error_of_x, error_of_rest = stirling_error(torch.cat([n.unsqueeze(0), both])).unbind()
    of_both = torch.stack([logits, -logits])
    deviances = deviance(both, n * torch.sigmoid(of_both), torch.log(n) + F.logsigmoid(of_both))
    errors = error_of_n - error_of_x - error_of_rest
    return 0.5 * (torch.log(n / (x * rest)) - _LOG_2PI) + errors - deviances.sum(0)


class Binomial(dist.Binomial):
    r"""The Binomial mass, from logits, by Stirling's errors and deviances.

    .. math:: p(x) = \binom{n}{x} p^x (1 - p)^{n - x}, \qquad p = \sigma(\ell)

    Args:
        total_count: n, at least 1.
        logits: ℓ.
    """

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x), for x = 0, …, n."""
        if self._validate_args:
            self._validate_sample(value)
        n, logits = self.total_count, self.logits
        x, rest = torch.where(value > 0, value, 1.0), torch.where(value < n, n - value, 1.0)
        # Within, none of the four is 0; at the ends a power of p or q is all there is.
        within = _log_binomial(x, rest, x + rest, logits)
        ends = torch.where(value > 0, n * F.logsigmoid(logits), n * F.logsigmoid(-logits))
        return torch.where((value > 0) & (value < n), within, ends)


class NegativeBinomial(dist.NegativeBinomial):
    r"""The negative binomial mass, from logits, by Stirling's errors and deviances.

    .. math:: p(x) = \frac{\Gamma(x + r)}{\Gamma(r) \, x!} (1 - p)^r p^x, \qquad p = \sigma(\ell), \quad
              \mathbb{E}[x] = r e^\ell

    Args:
        total_count: r, positive.
        logits: ℓ.
    """

    @torch.no_grad()
    def sample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty shape, as torch has it
        """Draw x."""
        return draw_poisson(self._gamma.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log p(x), for whole x from 0."""
        if self._validate_args:
            self._validate_sample(value)
        r, logits = self.total_count, self.logits
        x = torch.where(value > 0, value, 1.0)
        n = x + r
        positive = _log_binomial(x, r, n, logits) + torch.log(r / n)
        return torch.where(value > 0, positive, r * F.logsigmoid(-logits))
