"""The importance-weighted bound."""

import math

import torch
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.training.objectives.base import Objective
from obsvae.inference.training.objectives.terms import draw, log_density, score
from obsvae.names import lookup
from obsvae.options import WHOLE_NUMBER, WORD, Option

_GRADIENTS = dict.fromkeys(("dreg", "total"))


class ImportanceWeighted(Objective):
    r"""Minus the importance-weighted bound of K draws per datum.

    .. math:: \log \frac{1}{K} \sum_{k=1}^{K} w_k, \qquad w_k = \frac{p(x, z_k)}{q(z_k \mid x)}, \qquad
              z_k \sim q(z \mid x)

    It rises with K, from the ELBO to log p(x). The doubly reparameterised gradient of the guide's parameters φ keeps
    its signal as K grows, where that of the bound itself drowns in noise:

    .. math:: \sum_k \tilde w_k^2\, \frac{\partial \log w_k}{\partial z_k} \frac{\partial z_k}{\partial \phi},
              \qquad \tilde w_k = \frac{w_k}{\sum_j w_j}

    With a weight β on the KL term, :math:`w_k = p(x \mid z_k) (p(z_k) / q(z_k \mid x))^\beta`, the factor
    :math:`\tilde w_k^2` is :math:`\tilde w_k (1 - \beta + \beta \tilde w_k)`.

    Where entries are missing, log p(x, z) is that of the entries that are seen: the bound is that of MIWAE.

    Args:
        model: the generative model.
        guide: its guide, with a density.
        particles: K.
        gradient: ``dreg`` as above, or ``total``, that of the bound.

    Raises:
        UsageError: for fewer than one particle, another gradient, and a guide without a density.

    References: Burda, Grosse and Salakhutdinov, *Importance weighted autoencoders*, ICLR 2016; Tucker, Lawson, Gu and
    Maddison, *Doubly reparameterized gradient estimators for Monte Carlo objectives*, ICLR 2019, equation 8; Mattei and
    Frellsen, *MIWAE*, ICML 2019.
    """

    options = (Option("particles", WHOLE_NUMBER, 5), Option("gradient", WORD, "dreg"))

    def __init__(
        self, model: GenerativeModel, guide: AmortisedGuide, particles: int = 5, gradient: str = "dreg"
    ) -> None:
        lookup("gradient", gradient, _GRADIENTS)
        if particles < 1:
            raise UsageError(f"objective iwae needs particles of at least 1, but got {particles}")
        if not guide.has_density:
            raise UsageError("the guide puts a point mass on 'z', and has no weights: take objective elbo")
        super().__init__(model, guide)
        self.particles, self.gradient = particles, gradient

    @property
    def bound(self) -> str:
        """IWAE bound, with the number of particles, or ``objective`` where the model has no likelihood."""
        return f"IWAE-{self.particles} bound" if self.model.is_likelihood else "objective"

    def forward(self, x: Tensor, beta: Tensor, c: Tensor | None = None) -> Tensor:
        """Return minus the bound for x ``(N, *event)``, a scalar in nats per datum.

        A weight on the KL term is one on log p(z) − log q(z | x) in each particle's log-weight.
        """
        drawn = draw(self.guide, x, self.particles, c)
        if self.gradient == "total" or not torch.is_grad_enabled():
            scored = score(self.model, x, drawn.z, c)
            log_w = scored.log_likelihood + beta * (scored.log_prior - drawn.q.log_prob(drawn.z))
            return (math.log(self.particles) - log_w.logsumexp(0)).mean()
        return self._doubly_reparameterised(x, beta, drawn.z, c)

    def _doubly_reparameterised(self, x: Tensor, beta: Tensor, z: Tensor, c: Tensor | None) -> Tensor:
        held = z.detach()
        share = self._log_weights(x, beta, held, c).detach().softmax(0)  # (K, N)
        # z itself, by which a gradient flows with a factor of its own beside the share that the sum gives it.
        factor = (1.0 - beta + beta * share).unsqueeze(-1)
        log_w = self._log_weights(x, beta, held + factor * (z - held), c)
        bound = log_w.detach().logsumexp(0) - math.log(self.particles)
        surrogate = (share * log_w).sum(0)
        return -(bound + surrogate - surrogate.detach()).mean()

    def _log_weights(self, x: Tensor, beta: Tensor, z: Tensor, c: Tensor | None) -> Tensor:
        """Return log w ``(K, N)``, with gradients in z and in the model's parameters, and none in the guide's own."""
        scored = score(self.model, x, z, c)
        return scored.log_likelihood + beta * (scored.log_prior - log_density(self.guide, x, z, c))
