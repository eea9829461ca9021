"""Small models made to mislead: every family, decoders of hard shapes, guides that know too little or too much."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor
from tqdm import tqdm

from obsvae.experiments.benchmarks.trust.families import FAMILIES, draw, make_model, seed_of
from obsvae.experiments.benchmarks.trust.known_guides import KNOWN_GUIDES, known_guides
from obsvae.experiments.benchmarks.trust.quadrature import integrate
from obsvae.experiments.benchmarks.trust.shapes import SHAPES
from obsvae.experiments.benchmarks.trust.verdicts import Verdicts
from obsvae.guides import Guide
from obsvae.inference import Amortised, LogLikelihood, Proposal, Refined, log_likelihood
from obsvae.model import VAE

# What is tried: a proposal, and K.
Proposals = Mapping[str, tuple[Proposal, int]]
PROPOSALS: Proposals = {"refined": (Refined(), 500), "amortised": (Amortised(), 5000)}
# What amortised sampling is called where it gets as many evaluations of p(x, z) as another proposal has spent.
MATCHED = "amortised, K of {}"


@dataclass(frozen=True)
class Tried:
    """What a benchmark has found.

    Attributes:
        verdicts: on every estimate.
        left_out: the number of data whose log p(x) quadrature could not settle.
    """

    verdicts: Verdicts
    left_out: int


def adversarial(
    *,
    families: Sequence[str] = tuple(FAMILIES),
    shapes: Sequence[str] = tuple(SHAPES),
    guides: Sequence[str] = tuple(KNOWN_GUIDES),
    data: int = 13,
    proposals: Proposals = PROPOSALS,
    matched: str | None = "refined",
    seed: int = 0,
    progress: bool = True,
) -> Tried:
    """Hold estimates of log p(x) against quadrature, for every family, shape and guide.

    Args:
        families: names in ``FAMILIES``.
        shapes: names in ``SHAPES``.
        guides: names in ``KNOWN_GUIDES``.
        data: drawn from each model.
        proposals: by name, with the number of particles.
        matched: one of these, whose mean number of evaluations for a model and guide amortised sampling gets, too, as
            its K; None: it does not.
        seed: of the models, the data and the particles.
        progress: show a progress bar where standard error is a terminal.
    """
    found, left_out = list[Verdicts](), 0
    models = [(family, shape) for family in families for shape in shapes]
    for family, shape in tqdm(models, unit="model", desc="adversarial", disable=None if progress else True):
        model = make_model(family, shape, seed)
        x = draw(model, data, seed_of(seed, family, shape, "data"))
        exact = copy.deepcopy(model).double()
        posteriors = integrate(exact, x)
        left_out += int((~posteriors.is_resolved).sum())
        datum = np.flatnonzero(posteriors.is_resolved.numpy())
        if not len(datum):
            continue
        x, posteriors = x[datum], posteriors.select(posteriors.is_resolved)
        known = known_guides(exact, x, posteriors)
        for name in guides:
            own = seed_of(seed, family, shape, name)
            for method, likelihood in try_all(model, known[name], x, proposals, matched, own).items():
                labels = {"method": method, "family": family, "shape": shape, "guide": name}
                unimodal, truth = SHAPES[shape].is_unimodal, posteriors.log_p.numpy()
                found.append(Verdicts.of(likelihood, truth, datum, **labels, is_unimodal=unimodal))
    return Tried(Verdicts.joined(found), left_out)


def try_all(
    model: VAE, guide: Guide, x: Tensor, proposals: Proposals, matched: str | None, seed: int
) -> dict[str, LogLikelihood]:
    """Return the estimates of each proposal by name, and of amortised sampling at the cost of one of them."""
    found = {
        name: log_likelihood(model, guide, x, K, proposal=proposal, seed=seed, progress=False)
        for name, (proposal, K) in proposals.items()
    }
    if matched is not None:
        K = round(float(found[matched].evaluations.mean()))
        same = log_likelihood(model, guide, x, K, proposal=Amortised(), seed=seed, progress=False)
        found[MATCHED.format(matched)] = same
    return found
