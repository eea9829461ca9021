"""Proposals that are fitted to each datum's posterior, and adapted until their weights are good."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from obsvae.inference.likelihood.density.bank import Survey
from obsvae.inference.likelihood.density.joint import Joint
from obsvae.inference.likelihood.diagnostics import KHAT_LIMIT, effective_sample_size, usable_or_zero
from obsvae.inference.likelihood.mixtures.fitted import Fitted
from obsvae.inference.likelihood.mixtures.normal_fit import NormalFit, climb, settle
from obsvae.inference.likelihood.mixtures.search import find, most_modes
from obsvae.inference.likelihood.pareto import pareto_khat
from obsvae.inference.likelihood.proposals.base import BLOCK, Proposal
from obsvae.whole_numbers import require_number, whole

# How often a mixture learns from a sample: each time, more of the draws go to the member that fits them best.
_PASSES_OF_SURVEY, _PASSES_OF_PILOT = 3, 2
# Latent dimensions at which half of the target for the ESS is enough: the more there are, the worse any mixture fits.
_HALVED_AT = 8.0
# The highest places are held against the mixture; one is left out where p(x, z) / q(z) is this much above p(x).
_HELD, _LEFT_OUT = 128, math.log(5.0)


@dataclass(frozen=True)
class Refined(Proposal):
    r"""A mixture of the prior, the guide and Normals, fitted to each datum's posterior: see :class:`Fitted`.

    1. Climb log p(x, z) by Gauss-Newton steps, from the guide's location and from the best of places that are drawn
       from the prior, for more while new modes turn up (``search.py``). The places are the same for all data, so that
       modes are looked for where the guide does not point to, too.
    2. Put a Normal on each mode, and move it to the least KL(q ‖ p) (``settle`` in ``normal_fit.py``).
    3. Draw a pilot sample, and learn shares, means and covariances from its weights; from those of the places, too,
       where they are dense enough. The prior and the guide are members as the Normals are: a guide that covers the
       posterior keeps its share.
    4. Where the sample's ESS or k̂ misses the target, add a Normal at the particle with the largest weight; where one
       of the places has a weight five times the average, add one there. Repeat from 3 for these data until all is met
       or the rounds end.

    The particles of the estimate are drawn afresh, so that its expectation is p(x) whatever the adaptation did. A mode
    that neither the guide nor any of the places leads to stays unseen, and no diagnostic of the weights tells of it:
    :func:`missed_mass` measures that on data from the model, and :class:`Annealed` judges single data.

    Args:
        starts: climbs of each datum before it shows whether there is more than one mode, at least 1.
        steps: natural gradient steps of each Normal.
        rounds: how often Normals are added at most.
        pilot: size of a pilot sample.
        ess: the target for D latents is the share ess / (1 + D / 8) of the pilot sample. The other is k̂ ≤ 0.7.

    References: Raftery and Bao, *Estimating and projecting trends in HIV/AIDS generalized epidemics using incremental
    mixture importance sampling*, Biometrics 2010 (step 4); Cappé, Douc, Guillin, Marin and Robert, *Adaptive importance
    sampling in general mixture classes*, Statistics and Computing 2008 (step 3); Hesterberg, *Weighted average
    importance sampling and defensive mixture distributions*, Technometrics 1995 (the prior's share).
    """

    name: ClassVar[str] = "refined"
    remedy: ClassVar[str] = "hold them against annealing (proposal=Annealed())"
    starts: int = 2
    steps: int = 4
    rounds: int = 8
    pilot: int = 100
    ess: float = 0.8

    def __post_init__(self) -> None:
        for name in ("starts", "pilot"):
            whole(name, getattr(self, name))
        for name in ("steps", "rounds"):
            whole(name, getattr(self, name), least=0)
        require_number("ess", self.ess, least=0)

    def __call__(self, joint: Joint) -> Fitted:
        """Return a sampler from the fitted mixtures."""
        survey = joint.survey()
        modes, spent = find(joint, survey, self.starts)
        spent += len(survey.bank)
        sampler = Fitted.without_normals(joint, modes.loc.new_empty(modes.loc.shape[1:]), spent)
        for which, fit, log_share in modes.worthwhile():
            sampler.add(which, settle(joint.select(which), fit, self.steps), log_share)
            spent[which.cpu()] += 2 * self.steps
        z, number = survey.sample()
        if len(dense := number.nonzero().squeeze(-1)):
            even = torch.full_like(z[:, dense, 0], 1.0 / len(z))
            sampler.learn(dense, z[:, dense], even, number[dense], _PASSES_OF_SURVEY)
        active = torch.arange(len(joint), device=joint.x.device)
        for turn in range(self.rounds + 1):
            z, log_w = sampler.select(active)(self.pilot)
            spent[active.cpu()] += self.pilot
            usable = usable_or_zero(log_w)
            weights = usable.softmax(0).nan_to_num(0.0)
            number = weights.sum(0) / weights.square().sum(0).clamp(min=1e-30)
            sampler.learn(active, z, weights, number, _PASSES_OF_PILOT)
            place, left_out = _left_out(sampler.select(active), survey.select(active), usable)
            missed = self._missed(log_w, z.shape[-1])
            if turn == self.rounds or not bool((missed | left_out).any()):
                break
            self._add(sampler, active[missed], z[usable[:, missed].argmax(0), missed.nonzero().squeeze(-1)])
            self._add(sampler, active[left_out], place[left_out])
            active = active[missed | left_out]
        return sampler

    def fit(self, joint: Joint) -> NormalFit:
        """Return the Normal around the best mode of each datum, as steps 1 and 2 find it."""
        modes, spent = find(joint, joint.survey(), self.starts)
        fit = settle(joint, modes.best(), self.steps)
        fit.evaluations += spent + len(joint.bank)
        return fit

    def state_bytes(self, latent: int, particles: int) -> int:
        """Return the bytes of a datum's mixture, of its particles, and of the copies that are made on the way."""
        # In single precision the roots and inverses of the mixture, in double the precisions and roots of its modes.
        modes = most_modes(latent)
        normals = 2 * latent**2 * (2 * 4 * (self.rounds + modes) + 2 * 8 * modes)
        return normals + 4 * 4 * latent * max(min(particles, BLOCK), 4 * self.pilot)

    def _add(self, sampler: Fitted, which: Tensor, z: Tensor) -> None:
        """Give some of the data ``(b,)`` a Normal that is fitted from z ``(b, D)`` on."""
        if len(which):
            joint = sampler.joint.select(which)
            fit = settle(joint, climb(joint, z, steps=1)[0], self.steps)
            sampler.spent[which.cpu()] += fit.evaluations
            # As large a share as the others have on average.
            sampler.add(which, fit, -sampler.normals.count[which].clamp(min=1).log())

    def _missed(self, log_weights: Tensor, latent: int) -> Tensor:
        """Return whether pilot weights ``(k, b)`` miss the target, ``(b,)``."""
        log_w = log_weights.double().cpu().numpy()
        share = self.ess / (1.0 + latent / _HALVED_AT)
        with np.errstate(invalid="ignore"):
            met = (effective_sample_size(log_w) >= share * len(log_w)) & (pareto_khat(log_w) <= KHAT_LIMIT)
        return torch.from_numpy(~met).to(log_weights.device)


def _left_out(part: Fitted, survey: Survey, log_weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return the place that a mixture covers worst ``(b, D)``, and whether it is left out, ``(b,)``."""
    places, log_p = survey.highest(_HELD)
    estimate = log_weights.logsumexp(0) - math.log(len(log_weights))
    excess, which = (log_p - part.log_density(places) - estimate).max(0)
    return places[which, torch.arange(len(which), device=which.device)], excess > _LEFT_OUT
