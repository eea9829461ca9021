"""Where posteriors have their modes: climbs from the guide, and from the best of places that all data share."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from obsvae.inference.latents.location import known_mean
from obsvae.inference.likelihood.density.bank import Survey
from obsvae.inference.likelihood.density.joint import Joint
from obsvae.inference.likelihood.mixtures.normal_fit import NormalFit, climb

# Gauss-Newton steps at most; few data need more than six.
_CLIMB = 12
# Two modes differ where the squared Mahalanobis distance exceeds its mean by this many standard deviations; a mode is
# left out where its log-evidence is this many nats lower.
_FAR, _FAINT = 5.0, 5.0
# Places that climbs start from at most; one is worth a climb where it is within this many nats of the best mode.
_MOST_PLACES, _WORTH = 32, 20.0
# Modes of a datum at most, the fewer the more latents there are: beyond, the faintest gives way.
_MOST_MODES, _FEWEST_MODES, _MODES_BY_LATENTS = 16, 4, 64
# Draws that locate a guide whose mean is not known.
_DRAWS = 100


def most_modes(latent: int) -> int:
    """Return how many modes a datum may have."""
    return max(_FEWEST_MODES, min(_MOST_MODES, _MODES_BY_LATENTS // latent))


class Modes:
    """The modes that were found for each of B data, with Laplace's approximation of the posterior around each.

    Args:
        like: latents ``(B, D)``, for shape, type and device; there are no modes yet.

    Attributes:
        loc: where they are, ``(C, B, D)``.
        precision: Λ there, ``(C, B, D, D)``, in double precision.
        root: R, upper triangular, with Λ⁻¹ = R Rᵀ, likewise.
        evidence: log p(x) of the approximation, up to a constant, ``(C, B)``; −inf where a datum has fewer modes.
    """

    def __init__(self, like: Tensor) -> None:
        B, D = like.shape
        self.loc, self.evidence = like.new_zeros(0, B, D), like.new_zeros(0, B)
        self.precision = torch.zeros(0, B, D, D, dtype=torch.float64, device=like.device)
        self.root = self.precision

    def add(self, which: Tensor, fit: NormalFit, evidence: Tensor) -> Tensor:
        """Add the fits of some of the data ``(b,)``, each once, where they are new and no fainter than 5 nats.

        Returns:
            Whether each was added, ``(b,)``.
        """
        D, known = fit.loc.shape[-1], torch.isfinite(self.evidence[:, which])
        away = (fit.loc - self.loc[:, which]).double().unsqueeze(-1)
        distance = (away.mT @ self.precision[:, which] @ away).flatten(1)
        # Beyond where draws from the known one are.
        new = ((distance > D + _FAR * math.sqrt(2 * D)) | ~known).all(0) & torch.isfinite(evidence)
        slot = known.sum(0)
        if len(known):
            faintest, full = self.evidence[:, which].min(0), slot == most_modes(D)
            new &= evidence > torch.where(full, faintest.values, self._threshold()[which])
            slot = torch.where(full, faintest.indices, slot)
        where, slot = which[new], slot[new]
        if len(slot) and int(slot.max()) == len(self.loc):
            self._grow()
        self.loc[slot, where], self.evidence[slot, where] = fit.loc[new], evidence[new]
        self.precision[slot, where], self.root[slot, where] = fit.precision[new], fit.root[new]
        return new

    def worthwhile(self) -> Iterator[tuple[Tensor, NormalFit, Tensor]]:
        """Return, by number, the data ``(b,)`` that have such a mode, the modes, and their log-shares."""
        log_shares = self.evidence.log_softmax(0)
        for c in range(len(self.loc)):
            which = (self.evidence[c] > self._threshold()).nonzero().squeeze(-1)
            if len(which):
                yield which, self.at(torch.full_like(which, c), which), log_shares[c, which]

    def at(self, number: Tensor, which: Tensor) -> NormalFit:
        """Return the modes of data ``(b,)`` by number ``(b,)``."""
        none = torch.zeros(len(which), dtype=torch.long)
        return NormalFit(self.loc[number, which], self.precision[number, which], self.root[number, which], none)

    def best(self) -> NormalFit:
        """Return the best mode of each datum."""
        return self.at(self.evidence.argmax(0), torch.arange(self.evidence.shape[1], device=self.loc.device))

    def _threshold(self) -> Tensor:
        return self.evidence.amax(0) - _FAINT

    def _grow(self) -> None:
        C = len(self.loc)
        for name in ("loc", "precision", "root", "evidence"):
            old = getattr(self, name)
            grown = old.new_zeros(C + 1, *old.shape[1:])
            grown[:C] = old
            setattr(self, name, grown)
        self.evidence[C] = -math.inf


def find(joint: Joint, survey: Survey, starts: int) -> tuple[Modes, Tensor]:
    """Climb log p(x, z) from the guide's location and from the survey's peaks, from more while new modes turn up.

    The peaks come in turns, the highest first: ``starts`` climbs at first, the guide's among them, and then as many
    as there were before. A datum is done where a turn brought no further mode and no peak left is within 20 nats of
    the best.

    Returns:
        The modes, and how often p(x, z) was evaluated, ``(B,)``.
    """
    location, B = _location(joint), len(joint)
    places, heights = survey.peaks(_MOST_PLACES)
    begins = torch.cat([location[None], places])
    heights = torch.cat([torch.full_like(heights[:1], math.inf), heights, torch.full_like(heights[:1], -math.inf)])
    modes, spent = Modes(location), torch.zeros(B, dtype=torch.long)
    best = torch.full_like(heights[0], -math.inf)
    active = torch.ones(B, dtype=torch.bool, device=location.device)
    first, last = 0, min(starts, len(begins))
    while True:
        number, which = ((heights[first:last] > -math.inf) & active).nonzero(as_tuple=True)
        if not len(which):
            return modes, spent
        fits, log_p = climb(joint.select(which), begins[first + number, which], steps=_CLIMB)
        spent.index_add_(0, which.cpu(), fits.evaluations)
        best = best.scatter_reduce(0, which, log_p.to(best), "amax")
        evidence = log_p + fits.root.diagonal(dim1=-2, dim2=-1).log().sum(-1).to(log_p)
        further = torch.zeros(B, dtype=torch.long, device=location.device)
        for some in _by_rank(which, evidence):
            further[which[some]] += modes.add(which[some], fits.select(some), evidence[some].to(best))
        active &= (further > (first == 0)) | (heights[last] > best - _WORTH)
        first, last = last, min(2 * last, len(begins))


def _by_rank(owners: Tensor, values: Tensor) -> Iterator[Tensor]:
    """Return the indices of the row with the largest value of each owner, then those of the second, and so on."""
    order = values.argsort(descending=True, stable=True)
    order = order[owners[order].argsort(stable=True)]
    grouped = owners[order]
    rank = torch.arange(len(order), device=order.device) - torch.searchsorted(grouped, grouped)
    return (order[rank == r] for r in range(int(rank.max()) + 1))


def _location(joint: Joint) -> Tensor:
    """Return the guide's location ``(B, D)``, or the middle of draws; a draw of the prior where it is not finite."""
    counts = torch.full((len(joint),), _DRAWS)
    middle = known_mean(joint.proposed)
    if middle is None or not bool(torch.isfinite(middle).all()):
        drawn = torch.stack([z.median(0).values for z, _ in joint.from_guide(counts)])
        middle = drawn if middle is None else torch.where(torch.isfinite(middle), middle, drawn)
    # A guide that overflows knows nothing of its datum; the prior knows at least where latents are.
    known = torch.isfinite(middle)
    return middle if bool(known.all()) else torch.where(known, middle, torch.cat(joint.from_prior(counts.clamp(max=1))))
