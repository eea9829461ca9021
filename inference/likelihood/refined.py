"""Proposals that are fitted to each datum's posterior, and adapted until their weights are good."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from obsvae.inference.latents.location import known_mean, median_of_draws
from obsvae.inference.likelihood.diagnostics import KHAT_LIMIT, effective_sample_size, pareto_khat, usable_or_zero
from obsvae.inference.likelihood.joint import Joint
from obsvae.inference.likelihood.normal_fit import NormalFit, climb, settle
from obsvae.inference.likelihood.normal_mixture import NormalMixture
from obsvae.inference.likelihood.proposals import Proposal, Sampler, at_least

# How much wider than the guide the further starts are spread.
_SPREAD = 3.0
# Gauss-Newton steps at most; few data need more than six.
_CLIMB = 12
# Two modes differ where the squared Mahalanobis distance exceeds its mean by this many standard deviations; a mode is
# left out where its log-evidence is this many nats lower.
_FAR, _FAINT = 5.0, 5.0
# Share of the particles that come from the prior, and from the guide. No weight exceeds p(x | z) over the first.
_DEFENSIVE = 0.01


@dataclass(frozen=True)
class Refined(Proposal):
    r"""A mixture of Normals fitted to each datum's posterior.

    .. math:: q(z) = (1 - 2 \delta) \sum_c \frac{\alpha_c}{2} \big[ \mathcal{N}(z; m_c, \Sigma_c)
              + \mathcal{N}(z; m_c, s^2\, \Sigma_c) \big] + \delta\, p(z) + \delta\, q(z \mid x),
              \qquad \delta = 0.01

    1. Climb log p(x, z) by Gauss-Newton steps, from the guide's mean and from draws three times as wide as the
       guide; go on from the best by Laplace's approximation of log p(x), and from the other modes.
    2. Move these Normals to the least KL(q ‖ p) (``settle`` in ``normal_fit.py``).
    3. Draw a pilot sample. Where its ESS or k̂ misses the target, add a Normal at the particle with the largest
       weight, fitted likewise; set the shares from the weights. Repeat for those data until all meet it or the rounds
       end.
    4. The prior and the guide get one per cent each, as a defence.

    The particles of the estimate are drawn afresh, so that its expectation is p(x) whatever the adaptation did.

    Args:
        starts: where to climb from, at least 1; the more, the less likely is it that a mode stays unseen.
        steps: natural gradient steps of each Normal.
        rounds: greatest number of further Normals.
        pilot: size of a pilot sample.
        ess: the target, as a share of the pilot sample. The other is k̂ ≤ 0.7.

    References: Raftery and Bao, *Estimating and projecting trends in HIV/AIDS generalized epidemics using incremental
    mixture importance sampling*, Biometrics 2010 (step 3); Hesterberg, *Weighted average importance sampling and
    defensive mixture distributions*, Technometrics 1995 (step 4).
    """

    name: ClassVar[str] = "refined"
    remedy: ClassVar[str] = "hold them against annealing (proposal=Annealed())"
    starts: int = 2
    steps: int = 4
    rounds: int = 2
    pilot: int = 100
    ess: float = 0.15

    def __post_init__(self) -> None:
        at_least(1, starts=self.starts, pilot=self.pilot)
        at_least(0, steps=self.steps, rounds=self.rounds, ess=self.ess)

    def __call__(self, joint: Joint) -> Sampler:
        """Return a sampler from the fitted mixtures."""
        climbs, evidence = self._climb(joint)
        fit = settle(joint, climbs[0], self.steps)
        mixture = NormalMixture(fit.loc, fit.root)
        spent = fit.evaluations.clone()
        for number, other in enumerate(climbs[1:], 1):
            spent += other.evaluations
            # One that has far less of the posterior is left out.
            is_other = _is_elsewhere(other, climbs[:number]) & (evidence[number] > evidence[0] - _FAINT)
            if len(which := is_other.nonzero().squeeze(-1)):
                fit = settle(joint.select(which), other.select(which), self.steps)
                mixture.add(which, fit.loc, fit.root)
                spent[which.cpu()] += 2 * self.steps
        active = torch.arange(len(joint), device=joint.x.device)
        for turn in range(self.rounds + 1):
            part = joint.select(active)
            z, log_w = _FromMixture(part, mixture.select(active), spent)(self.pilot)
            spent[active.cpu()] += self.pilot
            mixture.log_shares[:, active] = mixture.select(active).learned(z, log_w)
            missed = self._missed(log_w)
            if turn == self.rounds or not len(missed):
                break
            active, part = active[missed], part.select(missed)
            heaviest = usable_or_zero(log_w[:, missed]).argmax(0)
            fit = settle(part, climb(part, z[heaviest, missed], steps=1)[0], self.steps)
            mixture.add(active, fit.loc, fit.root)
            spent[active.cpu()] += fit.evaluations
        return _FromMixture(joint, mixture, spent)

    def fit(self, joint: Joint) -> NormalFit:
        """Return the Normal of steps 1 and 2: that of the best mode."""
        climbs, _ = self._climb(joint)
        return settle(joint, climbs[0], self.steps)

    def state_bytes(self, latent: int, particles: int) -> int:
        """Return the bytes of a datum's mixture, and of the copies that are made on the way."""
        components = self.rounds + self.starts
        return components * latent * (2 * latent * 8 + self.pilot * 4) * 2

    def _climb(self, joint: Joint) -> tuple[list[NormalFit], Tensor]:
        """Return Laplace's approximations at the ends of the climbs, from the best to the worst of each datum.

        Beside them, the log p(x) of each approximation, up to a constant, ``(starts, B)``.
        """
        B, S, device = len(joint), self.starts, joint.x.device
        many = joint.select(torch.arange(B, device=device).repeat(S))
        fits, log_p = climb(many, _starts(joint, S).flatten(0, 1), steps=_CLIMB)
        log_det = fits.root.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        evidence, order = (log_p + log_det).unflatten(0, (S, B)).sort(0, descending=True)
        return [fits.select(which) for which in order * B + torch.arange(B, device=device)], evidence

    def _missed(self, log_weights: Tensor) -> Tensor:
        """Return the indices of the data whose pilot weights ``(k, b)`` miss the target."""
        log_w = log_weights.double().cpu().numpy()
        with np.errstate(invalid="ignore"):
            met = (effective_sample_size(log_w) >= self.ess * len(log_w)) & (pareto_khat(log_w) <= KHAT_LIMIT)
        return torch.from_numpy(np.flatnonzero(~met)).to(log_weights.device)


def _is_elsewhere(fit: NormalFit, better: Sequence[NormalFit]) -> Tensor:
    """Return whether a fit is at another mode than better ones, ``(B,)``."""
    D = fit.loc.shape[-1]
    other = torch.ones_like(fit.loc[:, 0], dtype=torch.bool)
    for known in better:
        away = (fit.loc - known.loc).double().unsqueeze(-1)
        # Beyond where draws from the known one are.
        other &= (away.mT @ known.precision @ away).flatten() > D + _FAR * math.sqrt(2 * D)
    return other


def _starts(joint: Joint, n: int) -> Tensor:
    """Return places to climb from, ``(n, B, D)``: the guide's location, and draws around it."""
    q = joint.proposed
    # Drawn for every guide, so that what is drawn after it does not depend on whether the guide's mean is known.
    middle, mean = median_of_draws(q), known_mean(q)
    if mean is not None:
        middle = torch.where(torch.isfinite(mean), mean, middle)
    further = middle + _SPREAD * (q.sample(torch.Size((n - 1,))) - middle)
    starts = torch.cat([middle.unsqueeze(0), further])
    # A guide that overflows knows nothing of its datum; the prior knows at least where latents are.
    return torch.where(torch.isfinite(starts), starts, joint.model.prior().sample(starts.shape[:2]))


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


class _FromMixture(Sampler):
    def __init__(self, joint: Joint, mixture: NormalMixture, spent: Tensor) -> None:
        self.joint, self.mixture, self.spent = joint, mixture, spent
        prior = joint.model.prior().expand(torch.Size((len(joint),)))
        self.defence = [prior, joint.proposed] if _scores_others(joint, mixture.loc[0]) else [prior]
        defensive = len(self.defence)
        self.shares = mixture.loc.new_tensor([1.0 - defensive * _DEFENSIVE, *[_DEFENSIVE] * defensive])

    def __call__(self, k: int) -> tuple[Tensor, Tensor]:
        B = len(self.joint)
        size = torch.Size((k,))
        z = torch.stack([self.mixture.sample(k), *(q.sample(size) for q in self.defence)])  # (parts, k, B, D)
        which = torch.multinomial(self.shares, k * B, replacement=True).view(1, k, B, 1)
        z = z.gather(0, which.expand(1, *z.shape[1:]))[0]
        log_q = torch.stack([self.mixture.log_prob(z), *(q.log_prob(z) for q in self.defence)])
        log_q = (log_q + self.shares.log().view(-1, 1, 1)).logsumexp(0)
        return z, self.joint.log_prob(z) - log_q
