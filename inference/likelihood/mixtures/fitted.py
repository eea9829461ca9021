"""Particles from a mixture of the prior, the guide and Normals fitted to each datum's posterior."""

import math

import torch
from torch import Tensor

from obsvae.distribution import Distribution
from obsvae.inference.likelihood.density.joint import Joint
from obsvae.inference.likelihood.mixtures.normal_fit import NormalFit
from obsvae.inference.likelihood.mixtures.normals import Normals
from obsvae.inference.likelihood.proposals.base import Sampler

# Shares of the prior and of the guide before any weight is known, and at least.
_PRIOR, _GUIDE, _LEAST = 0.05, 0.1, 0.01
# The first shares count as much as this many draws.
_KNOWN = 5.0


class Fitted(Sampler):
    r"""For each of B data a mixture that is learned from weighted samples of its posterior.

    .. math:: q(z) = \alpha_p\, p(z) + \alpha_g\, q(z \mid x) + \sum_c \alpha_c\, q_c(z)

    with the q_c of :class:`Normals`. A guide without a density, or that knows the density of its own draws alone, is
    left out. No weight exceeds p(x | z) over the share of the prior, which is one per cent at least.

    Args:
        joint: of the data.
        normals: the q_c.
        log_shares: log α ``(members, B)``, −inf where a datum has fewer Normals.
        spent: as :class:`Sampler` has it.
        known: number of draws that the shares are known from, ``(B,)``.
    """

    def __init__(self, joint: Joint, normals: Normals, log_shares: Tensor, spent: Tensor, known: Tensor) -> None:
        self.joint, self.normals, self.log_shares, self.spent, self.known = joint, normals, log_shares, spent, known

    @classmethod
    def without_normals(cls, joint: Joint, like: Tensor, spent: Tensor) -> "Fitted":
        """Return the mixture of prior and guide, for latents like this ``(B, D)``."""
        shares = like.new_tensor([_PRIOR])
        if _scores_others(joint, like):
            shares = like.new_tensor([_PRIOR, _GUIDE])
            _ = joint.alone  # made once here, for all parts of the joint that are selected later
        known = torch.full_like(like[:, 0], _KNOWN)
        return cls(joint, Normals(like), shares.log().unsqueeze(1).repeat(1, len(joint)), spent, known)

    @property
    def others(self) -> int:
        """Number of members that are not Normals: the prior, and the guide."""
        return len(self.log_shares) - len(self.normals)

    def add(self, which: Tensor, fit: NormalFit, log_share: Tensor) -> None:
        """Give some of the data ``(b,)``, each once, a Normal, with a share ``(b,)`` relative to all others'."""
        others = self.others
        self.normals.add(which, fit)
        if lacking := others + len(self.normals) - len(self.log_shares):
            none = torch.full_like(self.log_shares[:lacking], -math.inf)
            self.log_shares = torch.cat([self.log_shares, none])
        self.log_shares[others + self.normals.count[which] - 1, which] = log_share.to(self.log_shares)
        self.log_shares[:, which] = self.log_shares[:, which].log_softmax(0)

    def select(self, which: Tensor) -> "Fitted":
        """Return the mixtures of some of the data ``(b,)``."""
        normals, log_shares = self.normals.select(which), self.log_shares[:, which]
        return Fitted(self.joint.select(which), normals, log_shares, self.spent[which.cpu()], self.known[which])

    def __call__(self, k: int) -> tuple[Tensor, Tensor]:
        """Return k particles z ``(k, B, D)`` and their log-weights ``(k, B)``.

        Systematic sampling gives each member as many of the k as its share is worth, to the next whole number.

        Reference: Kitagawa, *Monte Carlo filter and smoother for non-Gaussian nonlinear state space models*, Journal of
        Computational and Graphical Statistics 1996.
        """
        z = self._draw(k)
        return z, self.joint.log_prob(z) - self.log_density(z)

    def log_density(self, z: Tensor) -> Tensor:
        """Return log q(z) ``(k, B)`` for z ``(k, B, D)``."""
        at_once = max(1, self.joint.rows // len(self.joint))
        return torch.cat([self._members(some).logsumexp(0) for some in z.split(at_once)])

    def learn(self, which: Tensor, z: Tensor, weights: Tensor, number: Tensor, passes: int) -> None:
        r"""Move shares, means and covariances towards those of a weighted sample of the posterior.

        .. math:: n_c = n \sum_k \bar w_k\, q(c \mid z_k), \qquad
                  \alpha_c \leftarrow \frac{n_0\, \alpha_c + n_c}{n_0 + \sum_c n_c}, \qquad
                  m_c \leftarrow \frac{\kappa\, m_c + n_c\, \bar z_c}{\kappa + n_c}, \qquad
                  \Sigma_c \leftarrow \frac{\nu\, \Sigma_c + n_c\, S_c}{\nu + n_c}

        with κ = 1 + D² / 4 and ν = 2 + D²: what so few draws cannot tell stays as it was. n₀ is 5, and the size of all
        samples that came before: a small mode that one pilot sample has not drawn keeps its share.

        Args:
            which: of which data ``(b,)``.
            z: draws ``(k, b, D)``.
            weights: of these, which add up to one, or all 0, ``(k, b)``.
            number: n, the effective size of the sample, ``(b,)``; where it is 0, nothing is learned.
            passes: how often.

        Reference: Cappé, Douc, Guillin, Marin and Robert, *Adaptive importance sampling in general mixture classes*,
        Statistics and Computing 2008, section 3.
        """
        part, before = self.select(which), self.log_shares[:, which].exp()
        for _ in range(passes):
            part._pass(z, weights.to(z), number.to(z), before)
        self.normals.put(which, part.normals)
        self.log_shares[:, which], self.known[which] = part.log_shares, part.known + number.to(z)

    def _pass(self, z: Tensor, weights: Tensor, number: Tensor, before: Tensor) -> None:
        others, D = self.others, z.shape[-1]
        from_member = self._members(z).softmax(0) * weights  # (members, k, B)
        drawn = number * from_member.sum(1)  # (members, B)
        kappa, nu, draws = 1.0 + D**2 / 4.0, 2.0 + D**2, z.transpose(0, 1).double()  # (B, k, D)
        for c in range(len(self.normals)):
            of, n = from_member[others + c].T.double(), drawn[others + c].double()[:, None]  # (B, k), (B, 1)
            of = of / of.sum(-1, keepdim=True).clamp(min=1e-30)
            mean = (of.unsqueeze(-2) @ draws).squeeze(-2)
            loc = (kappa * self.normals.loc[c].double() + n * mean) / (kappa + n)
            away = (draws - loc.unsqueeze(1)) * of.unsqueeze(-1).sqrt()
            root, n = self.normals.root[c].double(), n.unsqueeze(-1)
            self.normals.set(c, loc.to(z), (nu * root @ root.mT + n * away.mT @ away) / (nu + n))
        shares = (self.known * before + drawn) / (self.known + drawn.sum(0))
        shares[:others].clamp_(min=_LEAST)
        self.log_shares = (shares / shares.sum(0)).log()

    def _draw(self, k: int) -> Tensor:
        streams, like = self.joint.streams, self.normals.loc
        upper = self.log_shares.double().exp().cumsum(0)
        upper = upper / upper[-1]
        at = (torch.arange(k, device=like.device).unsqueeze(1) + streams.uniform(1, like).double()) / k  # (k, B)
        member = torch.zeros_like(at, dtype=torch.long)
        for bound in upper[:-1]:
            member += at >= bound
        member = member.gather(0, streams.permutation(k))
        z = self.normals.moved(streams.normal(k, like), streams.uniform(k, like) < 0.5, member - self.others)
        by_prior, by_guide = member == 0, (member == 1) & (self.others > 1)
        z.transpose(0, 1)[by_prior.T] = torch.cat(self.joint.from_prior(by_prior.sum(0)))
        if self.others > 1:
            z.transpose(0, 1)[by_guide.T] = torch.cat([z for z, _ in self.joint.from_guide(by_guide.sum(0))])
        return z

    def _members(self, z: Tensor) -> Tensor:
        """Return the log-density of each member plus its log-share, ``(members, k, B)``."""
        others: list[Distribution] = [self.joint.model.prior(), self.joint.proposed][: self.others]
        found = torch.cat([torch.stack([q.log_prob(z) for q in others]), self.normals.log_prob(z)])
        return found + self.log_shares.unsqueeze(1)


def _scores_others(joint: Joint, z: Tensor) -> bool:
    """Return whether the guide has a density at a z ``(B, D)`` that it has not drawn itself.

    A flow whose inverse is not known has one for its own draws alone, by what it remembers of them.
    """
    if not joint.guide.has_density:
        return False
    try:
        joint.proposed.log_prob(z)
    except (KeyError, NotImplementedError):  # Pyro's and torch's way to say so
        return False
    return True
