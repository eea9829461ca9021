"""Weighting the KL term of an ELBO."""

from typing import Any

from pyro.poutine.messenger import Messenger
from torch import Tensor


class KLWeight(Messenger):
    r"""An effect handler that multiplies the log-probability of every latent site, in model and guide alike.

    .. math:: \mathcal{L}_\beta = \mathbb{E}_q[\log p(x \mid z)] - \beta \, \mathrm{KL}(q(z \mid x) \,\|\, p(z))

    Args:
        beta: the weight; 1 gives the ELBO, 0 the reconstruction term alone.
    """

    def __init__(self, beta: float | Tensor) -> None:
        super().__init__()
        self.beta = beta

    def _pyro_sample(self, msg: Any) -> None:
        if not msg["is_observed"]:
            msg["scale"] = msg["scale"] * self.beta
