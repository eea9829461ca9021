"""The evidence lower bound, and what is made of its KL term."""

import torch
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.training.objectives.base import Objective
from obsvae.inference.training.objectives.terms import draw, log_density, score
from obsvae.names import lookup
from obsvae.options import NUMBER, WORD, Option

_KL = dict.fromkeys(("analytic", "sampled", "path"))


class WeightedELBO(Objective):
    r"""Minus the ELBO per datum, with a weight on the KL term and a part of it for free.

    .. math:: \mathbb{E}_{q(z \mid x)}[\log p(x \mid z)] - \beta\, \mathrm{KL}(q(z \mid x) \,\|\, p(z))

    With free bits λ the KL term is :math:`\sum_d \max(\lambda, \overline{\mathrm{KL}}_d)`, of the mean over the
    minibatch: dimensions that tell less than λ nats are not pressed to tell less.

    Args:
        model: the generative model.
        guide: its guide, with a density.
        kl: ``analytic``: in closed form where there is one, else by the draw of z; ``sampled``: by the draw;
            ``path``: by the draw, with the gradient through z alone ("sticking the landing"), which has no variance
            where q is the posterior.
        beta: β.
        free: λ, nats for each dimension of z.

    Raises:
        UsageError: for values out of range, free bits without a KL by dimension, and a guide without a density.

    References: Higgins et al., *β-VAE*, ICLR 2017; Kingma et al., *Improving variational inference with inverse
    autoregressive flow*, NeurIPS 2016 (free bits, section C.8); Roeder, Wu and Duvenaud, *Sticking the landing*,
    NeurIPS 2017.
    """

    options = (Option("kl", WORD, "analytic"), Option("beta", NUMBER, 1.0), Option("free", NUMBER, 0.0))

    def __init__(
        self, model: GenerativeModel, guide: AmortisedGuide, kl: str = "analytic", beta: float = 1.0, free: float = 0.0
    ) -> None:
        lookup("kl", kl, _KL)
        for name, value in {"beta": beta, "free": free}.items():
            if not 0.0 <= value < float("inf"):
                raise UsageError(f"objective elbo needs {name} of 0 or more, and finite, but got {value:g}")
        if free and kl != "analytic":
            raise UsageError(f"free bits need the KL of each dimension, in closed form: take kl=analytic, not kl={kl}")
        if not guide.has_density:
            raise UsageError("the guide puts a point mass on 'z', and has no KL: leave out the objective's options")
        super().__init__(model, guide)
        self.kl, self.beta, self.free = kl, beta, free
        self.is_mean = not free

    @property
    def bound(self) -> str:
        """ELBO, or ``objective`` where it is none."""
        return "ELBO" if self.model.is_likelihood and self.beta == 1.0 and not self.free else "objective"

    @torch.no_grad()
    def check(self, x: Tensor, c: Tensor | None = None) -> None:
        """Refuse free bits of a pair whose KL is not known by dimension."""
        if self.free:
            _by_dimension(draw(self.guide, x, 1, c).q, self.model.prior())

    def forward(self, x: Tensor, beta: Tensor, c: Tensor | None = None) -> Tensor:
        """Return minus the weighted ELBO for x ``(N, *event)``, a scalar in nats per datum."""
        drawn = draw(self.guide, x, 1, c)
        scored = score(self.model, x, drawn.z, c)
        if self.free:
            kl = _by_dimension(drawn.q, scored.p).mean((0, 1)).clamp_min(self.free).sum()
        elif self.kl == "path":
            kl = (log_density(self.guide, x, drawn.z, c) - scored.log_prior).mean()
        else:
            kl = self._exact_or_sampled(drawn.q, scored.p, drawn.z, scored.log_prior).mean()
        return self.beta * beta * kl - scored.log_likelihood.mean()

    def _exact_or_sampled(self, q: Distribution, p: Distribution, z: Tensor, log_prior: Tensor) -> Tensor:
        if self.kl == "analytic":
            try:
                return kl_divergence(q, p)
            except NotImplementedError:  # torch's way to say that there is no closed form
                pass
        return q.log_prob(z) - log_prior


def _by_dimension(q: Distribution, p: Distribution) -> Tensor:
    """Return KL(q_d ‖ p_d) in nats ``(K, N, D)``.

    Raises:
        UsageError: where q or p are not Normals that are independent over dimensions.
    """
    inner = [one.base_dist for one in (q, p) if isinstance(one, Independent) and isinstance(one.base_dist, Normal)]
    if len(inner) < 2:
        raise UsageError(
            f"free bits need a guide and a prior of independent Normals, but the guide is {type(q).__name__} and the "
            f"prior {type(p).__name__}; take guide normal and prior standard-normal or normal, or free=0"
        )
    found = kl_divergence(*inner)
    assert isinstance(found, Tensor)
    return found
