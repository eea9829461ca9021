"""Proposals that are fitted to each datum's posterior, and adapted until their weights are good."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from inference.diagnostics import KHAT_LIMIT, effective_sample_size, pareto_khat
from inference.joint import Joint
from inference.normal_fit import NormalFit, climb, settle
from inference.normal_mixture import NormalMixture
from inference.proposals import Proposal, Sampler, is_point_mass

# How much wider than the guide the further starts are spread.
_SPREAD = 3.0
# Gauss-Newton steps at most; few data need more than six.
_CLIMB = 12
# A mode is another one where it lies so many standard deviations of the squared distance beyond its mean; and one that
# has so many nats less is left out.
_FAR, _FAINT = 5.0, 5.0
# Share of the particles that come from the prior, and from the guide. No weight exceeds p(x | z) over the first.
_DEFENSIVE = 0.01


@dataclass(frozen=True)
class Refined(Proposal):
    """A mixture of Normals fitted to each datum's posterior.

    1. Climb log p(x, z) by Gauss-Newton steps, from the guide's mean and from draws three times as wide as the
       guide; go on from the best by Laplace's approximation of log p(x), and from others that are another mode.
    2. Move these Normals to the least KL(q ‖ p) (:func:`inference.normal_fit.settle`).
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
    starts: int = 2
    steps: int = 4
    rounds: int = 2
    pilot: int = 100
    ess: float = 0.15

    def __call__(self, joint: Joint) -> Sampler:
        """Return a sampler from the fitted mixtures."""
        climbs = self._climb(joint)
        fit = settle(joint, climbs[0], self.steps)
        mixture = NormalMixture(fit.loc, fit.root)
        spent = fit.evaluations.clone()
        for number, other in enumerate(climbs[1:], 1):
            spent += other.evaluations
            if len(which := _elsewhere(joint, other, climbs[:number])):
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
            heaviest = log_w[:, missed].nan_to_num(-math.inf).argmax(0)
            fit = settle(part, climb(part, z[heaviest, missed], steps=1), self.steps)
            mixture.add(active, fit.loc, fit.root)
            spent[active.cpu()] += fit.evaluations
        return _FromMixture(joint, mixture, spent)

    def fit(self, joint: Joint) -> NormalFit:
        """Return the Normal of steps 1 and 2: that of the best mode."""
        return settle(joint, self._climb(joint)[0], self.steps)

    def state_bytes(self, latent: int, particles: int) -> int:
        """Return the bytes of a datum's mixture, and of the copies that are made on the way."""
        components = self.rounds + self.starts
        return components * latent * (2 * latent * 8 + self.pilot * 4) * 2

    def _climb(self, joint: Joint) -> list[NormalFit]:
        """Return Laplace's approximations at the ends of the climbs, for each datum from the best to the worst."""
        B, S, device = len(joint), self.starts, joint.x.device
        many = joint.select(torch.arange(B, device=device).repeat(S))
        fits = climb(many, _starts(joint, S).flatten(0, 1), steps=_CLIMB)
        evidence = fits.log_evidence(many).nan_to_num(-math.inf).unflatten(0, (S, B))
        order = evidence.argsort(0, descending=True) * B + torch.arange(B, device=device)
        return [fits.select(which) for which in order]

    def _missed(self, log_weights: Tensor) -> Tensor:
        """Return the indices of the data whose pilot weights ``(k, b)`` miss the target."""
        log_w = log_weights.double().cpu().numpy()
        with np.errstate(invalid="ignore"):
            met = (effective_sample_size(log_w) >= self.ess * len(log_w)) & (pareto_khat(log_w) <= KHAT_LIMIT)
        return torch.from_numpy(np.flatnonzero(~met)).to(log_weights.device)


def _elsewhere(joint: Joint, fit: NormalFit, better: Sequence[NormalFit]) -> Tensor:
    """Return the indices of the data for which a fit is at another mode than better ones, with mass to speak of."""
    D = fit.loc.shape[-1]
    other = fit.log_evidence(joint) > better[0].log_evidence(joint) - _FAINT
    for known in better:
        away = (fit.loc - known.loc).double().unsqueeze(-1)
        # Beyond where draws from the known one are.
        other &= (away.mT @ known.precision @ away).flatten() > D + _FAR * math.sqrt(2 * D)
    return other.nonzero().squeeze(-1)


def _starts(joint: Joint, n: int) -> Tensor:
    """Return places to climb from, ``(n, B, D)``: the guide's mean, and draws around it."""
    q = joint.proposed
    try:
        mean = q.mean
    except NotImplementedError:  # as of a normalising flow
        mean = q.sample(torch.Size((100,))).mean(0)
    further = mean + _SPREAD * (q.sample(torch.Size((n - 1,))) - mean)
    return torch.cat([mean.unsqueeze(0), further])


class _FromMixture(Sampler):
    def __init__(self, joint: Joint, mixture: NormalMixture, spent: Tensor) -> None:
        self.joint, self.mixture, self.spent = joint, mixture, spent
        prior = joint.model.prior().expand(torch.Size((len(joint),)))
        self.parts = [mixture, prior] if is_point_mass(joint.proposed) else [mixture, prior, joint.proposed]
        defensive = len(self.parts) - 1
        self.shares = joint.x.new_tensor([1.0 - defensive * _DEFENSIVE, *[_DEFENSIVE] * defensive])

    def __call__(self, k: int) -> tuple[Tensor, Tensor]:
        B = len(self.joint)
        mixture, *defence = self.parts
        z = torch.stack([mixture.sample(k), *(q.sample(torch.Size((k,))) for q in defence)])  # (parts, k, B, D)
        which = torch.multinomial(self.shares, k * B, replacement=True).view(1, k, B, 1)
        z = z.gather(0, which.expand(1, *z.shape[1:]))[0]
        log_q = torch.stack([q.log_prob(z) for q in self.parts])
        log_q = (log_q + self.shares.log().view(-1, 1, 1)).logsumexp(0)
        return z, self.joint.log_prob(z) - log_q
