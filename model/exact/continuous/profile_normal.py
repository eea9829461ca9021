"""A Normal likelihood whose scale is its own maximum-likelihood estimate."""

import pyro.distributions as dist
from torch import Tensor


class ProfileNormal(dist.Normal):
    r"""The Normal profile likelihood: σ is set to its maximum-likelihood value for the x being scored.

    .. math:: \hat\sigma_i = s_i\, \max\Big(1,\ \sqrt{\frac{1}{n} \sum_{j=1}^n (x_j - \mu_j)^2 / s_j^2}\Big)

    with the mean over every entry of x, batch and features alike. It is a training objective, **not** a density in x:
    evaluation must fix σ from the training set. By the envelope theorem its gradient in μ is that of a Normal with
    σ = σ̂ held fixed.

    Args:
        loc: mean μ, shape ``(*batch,)``.
        scale: s, the floor of σ̂, positive, broadcastable to ``loc``; σ̂ is in multiples of it.

    Reference: Rybkin, Daniilidis and Levine, *Simple and effective VAE training with calibrated decoders*, ICML 2021,
    section 3 (optimal σ-VAE).
    """

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log N(x; μ, σ̂²) elementwise, in nats."""
        mean_square = ((value - self.loc) / self.scale).square().mean()
        sigma = self.scale * mean_square.clamp_min(1.0).sqrt()
        return dist.Normal(self.loc, sigma, validate_args=self._validate_args).log_prob(value)
