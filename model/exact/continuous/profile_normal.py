"""A Normal likelihood whose scale is its own maximum-likelihood estimate."""

import pyro.distributions as dist
from torch import Tensor


class ProfileNormal(dist.Normal):
    r"""The Normal profile likelihood: σ is set to its maximum-likelihood value for the x being scored.

    .. math:: \hat\sigma^2 = \max\Big(\text{floor}^2,\ \frac{1}{n} \sum_{i=1}^n (x_i - \mu_i)^2\Big)

    with the mean over every entry of x, batch and features alike. It is a training objective, **not** a density in x:
    evaluation must fix σ from the training set. By the envelope theorem its gradient in μ is that of a Normal with
    σ = σ̂ held fixed.

    Args:
        loc: mean μ, shape ``(*batch,)``.
        scale: the floor of σ̂, positive, broadcastable to ``loc``.

    Reference: Rybkin, Daniilidis and Levine, *Simple and effective VAE training with calibrated decoders*, ICML 2021,
    section 3 (optimal σ-VAE).
    """

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log N(x; μ, σ̂²) elementwise, in nats."""
        mean_square = (value - self.loc).square().mean()
        sigma = mean_square.clamp_min(self.scale.min().square()).sqrt()
        return dist.Normal(self.loc, sigma, validate_args=self._validate_args).log_prob(value)
