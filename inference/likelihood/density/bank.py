"""Places in the latent space that all data share, to see where a posterior may be."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from obsvae.inference.likelihood.diagnostics import usable_or_zero
from obsvae.inference.modes import device_of
from obsvae.inference.protocols import GenerativeModel
from obsvae.modes import seeded

# Places at most and at least, and how many values of features they may make: that bounds what scoring them costs. With
# few latents posteriors have several modes, and lie far out where the model is poor, and a few more places find them.
_MOST, _FEWEST, _VALUES = 2048, 64, 2**15
_FEW_LATENTS, _FEWEST_OF_FEW = 8, 512
# Number of neighbours that a peak stands out from, large enough that they seldom lie all on one side of it; with few
# places one for each 32 of them, and at least four.
_NEIGHBOURS, _FEWEST_NEIGHBOURS, _SHARE = 16, 4, 32
# Shares of the draws that lie this many times as far from the middle of the prior, with few latents and with more.
_FAR_OF_FEW, _FAR = ((1.0, 0.4), (2.0, 0.4), (4.0, 0.2)), ((1.0, 0.5), (2.0, 0.5))
# Size of a sample of the posterior among the places, and effective size below which it tells nothing.
_SAMPLE, _ENOUGH = 256, 10.0


class Bank:
    """M draws z from the prior, half of them moved away from its middle to twice the distance.

    With few latents M / 4 more are moved to four times the distance.

    Posteriors of data unlike the model's lie there. The decoder sees a place once for a whole batch of data, so that it
    costs a datum little; with conditions once for all data of a batch that share theirs, which costs as much as M
    particles where each datum has its own. M depends on the sizes of a datum and of z alone.

    Args:
        model: the generative model.
        seed: of the draws.
        c: the conditions of some datum ``(1, C)``; None where there are none.
    """

    def __init__(self, model: GenerativeModel, seed: int, c: Tensor | None = None) -> None:
        self.model, self.seed, self.c = model, seed, c

    def __len__(self) -> int:
        """Return M."""
        return len(self.z)

    @cached_property
    def z(self) -> Tensor:
        """The places ``(M, D)``."""
        drawn = self._drawn
        M = len(drawn)
        ends = torch.tensor([share for _, share in self._far]).cumsum(0)
        which = torch.bucketize((torch.arange(M) + 0.5) / M, ends).clamp(max=len(ends) - 1)
        factor = torch.tensor([factor for factor, _ in self._far])[which].to(drawn)
        return self._middle + factor.unsqueeze(1) * (drawn - self._middle)

    @cached_property
    def log_density(self) -> Tensor:
        """The log-density of the distribution that the places are draws from, ``(M,)``."""
        prior, D = self.model.prior(), self.z.shape[-1]
        parts = [
            prior.log_prob(self._middle + (self.z - self._middle) / factor) - D * math.log(factor) + math.log(share)
            for factor, share in self._far
        ]
        return torch.stack(parts).logsumexp(0)

    @cached_property
    def neighbours(self) -> Tensor:
        """The nearest places of each, ``(M, n)``."""
        n = max(_FEWEST_NEIGHBOURS, min(_NEIGHBOURS, len(self) // _SHARE))
        z = self.z.double()
        nearest = [torch.cdist(some, z).topk(n + 1, largest=False).indices for some in z.split(256)]
        return torch.cat(nearest)[:, 1:]  # the first is the place itself

    def log_prob(self, x: Tensor, rows: int, c: Tensor | None = None) -> Tensor:
        """Return log p(x, z) ``(M, B)`` of data x ``(B, *event)``, with about ``rows`` pairs (x, z) at once.

        −inf where it has no value.
        """
        if c is not None:
            found = self.z.new_empty(len(self), len(x))
            distinct, number = c.unique(dim=0, return_inverse=True)
            for i, one in enumerate(distinct):
                which = (number == i).nonzero().squeeze(-1)
                found[:, which] = self._log_prob(x[which], rows, one.unsqueeze(0))
            return found
        return self._log_prob(x, rows)

    def _log_prob(self, x: Tensor, rows: int, c: Tensor | None = None) -> Tensor:
        """Return it of data with the same conditions ``(1, C)``."""
        log_prior = self.model.prior().log_prob(self.z)
        found = self.z.new_empty(len(self), len(x))
        for data in torch.arange(len(x)).split(max(1, rows)):
            for some in torch.arange(len(self)).split(max(1, rows // len(data))):
                eta = self.model.decode(self.z[some], c).unsqueeze(1)  # (m, 1, *event, outputs)
                log_p = self.model.observe(eta).log_prob(x[data]).flatten(2).sum(-1)
                found[some[0] : some[-1] + 1, data[0] : data[-1] + 1] = log_p.to(found) + log_prior[some, None]
        return usable_or_zero(found)

    @cached_property
    def _drawn(self) -> Tensor:
        with seeded(self.seed, device_of(self.model)):
            prior = self.model.prior()
            one = prior.sample(torch.Size((1,)))
            values = self.model.decode(one, self.c).numel()
            fewest = _FEWEST_OF_FEW if one.shape[-1] <= _FEW_LATENTS else _FEWEST
            M = max(fewest, min(_MOST, _VALUES // values))
            return prior.sample(torch.Size((M + M // 4 if one.shape[-1] <= _FEW_LATENTS else M,)))

    @property
    def _far(self) -> tuple[tuple[float, float], ...]:
        return _FAR_OF_FEW if self._drawn.shape[-1] <= _FEW_LATENTS else _FAR

    @cached_property
    def _middle(self) -> Tensor:
        return self._drawn.median(0).values


@dataclass(frozen=True)
class Survey:
    """What the places say of the posterior of each of B data.

    Attributes:
        bank: the places.
        log_p: log p(x, z) there, ``(M, B)``; −inf where it has no value.
    """

    bank: Bank
    log_p: Tensor

    def select(self, which: Tensor) -> "Survey":
        """Return that of some of the data ``(b,)``."""
        return Survey(self.bank, self.log_p[:, which])

    def peaks(self, most: int) -> tuple[Tensor, Tensor]:
        """Return the places z ``(n, B, D)`` above all their neighbours, the highest first, and log p(x, z) ``(n, B)``.

        −inf where a datum has fewer; n is at most ``most``.
        """
        around = self.log_p[self.bank.neighbours[:, 0]]
        for column in self.bank.neighbours[:, 1:].T:
            around = torch.maximum(around, self.log_p[column])
        return self._highest(torch.where(self.log_p >= around, self.log_p, -math.inf), most)

    def highest(self, most: int) -> tuple[Tensor, Tensor]:
        """Return the highest places z ``(n, B, D)``, and log p(x, z) ``(n, B)``; n is at most ``most``."""
        return self._highest(self.log_p, most)

    def sample(self) -> tuple[Tensor, Tensor]:
        """Return draws from the posterior among the places ``(k, B, D)``, and their effective number ``(B,)``.

        By systematic resampling. The number is 0 where the places are too few to tell.
        """
        weights = (self.log_p - self.bank.log_density.unsqueeze(1)).double().softmax(0).nan_to_num(0.0)
        number = 1.0 / weights.square().sum(0).clamp(min=1e-30)
        k = min(_SAMPLE, len(self.bank))
        at = ((torch.arange(k, device=weights.device) + 0.5) / k).double().expand(weights.shape[1], k)
        which = torch.searchsorted(weights.cumsum(0).T.contiguous(), at.contiguous()).clamp(max=len(self.bank) - 1)
        known = (number >= _ENOUGH) & (weights.sum(0) > 0.5)
        return self.bank.z[which.T], torch.where(known, number.clamp(max=k), 0.0)

    def _highest(self, values: Tensor, most: int) -> tuple[Tensor, Tensor]:
        found, which = values.topk(min(most, len(values)), 0)
        return self.bank.z[which], found
