"""The importance-weighted likelihood, datum by datum."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from obsvae.errors import UsageError
from obsvae.inference.conditions import rows_of
from obsvae.inference.likelihood.density.bank import Bank
from obsvae.inference.likelihood.density.joint import NOISY_ROWS, Joint
from obsvae.inference.likelihood.density.randomness import Streams
from obsvae.inference.likelihood.diagnostics import WeightDiagnostics, diagnose
from obsvae.inference.likelihood.memory import bytes_allocated
from obsvae.inference.likelihood.proposals.base import Proposal, in_blocks
from obsvae.inference.likelihood.proposals.refined import Refined
from obsvae.inference.likelihood.result import LogLikelihood
from obsvae.inference.modes import device_of, unchecked
from obsvae.inference.pieces import NOT_KEPT, Piece, Pieces
from obsvae.inference.processes.alone import ALONE, Processes
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.sites import require_pair, require_sites
from obsvae.modes import evaluating, seeded
from obsvae.whole_numbers import whole

# A log-weight is held in its chunk, among its datum's (4 bytes each), in double precision, as a weight, and smoothed.
_BYTES_OF_A_WEIGHT = 4 + 4 + 8 + 8 + 8
# Beside, k̂ takes a dozen arrays of the weights of a datum, or of a few small ones.
_BYTES_FOR_KHAT = 12 * 8
# Numbers of the data that are prepared at once, where memory allows, and data at most: of small ones more than
# the proposal's batch, since each step over them costs as much as one over a few.
_NUMBERS, _MOST = 2**16, 1000


def log_likelihood(
    model: GenerativeModel,
    guide: AmortisedGuide,
    x: Tensor,
    particles: int = 1000,
    *,
    c: Tensor | None = None,
    proposal: Proposal | None = None,
    memory: int = 2**27,
    keep_weights: int = 0,
    keep_particles: int = 0,
    seed: int = 0,
    progress: bool = True,
    processes: Processes = ALONE,
    pieces: Pieces = NOT_KEPT,
) -> LogLikelihood:
    r"""Estimate log p(x) of each datum by importance sampling.

    .. math:: \log \hat p(x) = \log \frac{1}{K} \sum_{k=1}^K w_k, \qquad
              w_k = \frac{p(x, z_k)}{q(z_k \mid x)}, \qquad z_k \sim q(z \mid x)

    In expectation this is a lower bound of log p(x), tight as K grows only where q covers the posterior. Where entries
    are missing it is that of the entries that are seen; 0, exactly, where none is. Where there are conditions it is
    log p(x | c).

    Args:
        model: the generative model.
        guide: its guide.
        x: data ``(N, *event)`` in data units, on the model's device.
        particles: K, at least 1; an estimate takes exactly K, whatever the chunks.
        c: conditions of the data ``(N, C)``; None where the model has none.
        proposal: where the particles come from: :class:`Refined` by default, :class:`Amortised` or :class:`Annealed`.
        memory: bound on the working memory in bytes, beside the model, the data, and what is kept. For each
            datum K log-weights must fit in it.
        keep_weights: n, the number of data, from the first, whose log-weights are returned, ``(K, n)``.
        keep_particles: the number of data, from the first, whose particles are returned, ``(K, n, D)``.
        seed: of the particles.
        progress: show a progress bar where standard error is a terminal.
        processes: that share the data, where each calls this function alike; each returns all results.
        pieces: which keep what is computed of some data at a time, so that interrupted work goes on.

    Raises:
        UsageError: for data of another shape or outside the support, K < 1, a memory bound that one datum does not
            fit, a proposal without a density, or latent sites that differ from the model's.
        MeasureMismatch: where the observation is not a likelihood.

    Reference: Burda, Grosse and Salakhutdinov, *Importance weighted autoencoders*, ICLR 2016, equation 8.
    """
    proposal = Refined() if proposal is None else proposal
    found = list[Piece]()
    with prepared(model, guide, x, particles, proposal, memory, seed, c) as (joint, at_once):
        own = processes.part(len(x))
        batches = batches_of(own, at_once)

        def scored(number: int) -> Piece:
            which = batches[number]
            left = (max(0, keep - int(which[0])) for keep in (keep_weights, keep_particles))
            return _score(joint.select(which), proposal, particles, *left)

        with tqdm(total=own.stop - own.start, unit="datum", disable=None if progress else True) as bar:
            for which, piece in zip(batches, pieces.each(len(batches), scored), strict=True):
                found.append(piece)
                bar.update(len(which))
    found = [piece for some in processes.gather(found) for piece in some]
    weights = {f.name: np.concatenate([piece[f.name] for piece in found]) for f in fields(WeightDiagnostics)}
    return LogLikelihood(
        WeightDiagnostics(**weights),
        np.concatenate([piece["mean_log_weight"] for piece in found]),
        particles,
        np.concatenate([piece["evaluations"] for piece in found]),
        float((~torch.isnan(x)).sum()) / len(x),
        proposal.name,
        proposal.remedy,
        np.concatenate([piece["log_weights"] for piece in found], 1) if keep_weights else None,
        np.concatenate([piece["z"] for piece in found if piece["z"].size], 1) if keep_particles else None,
    )


def batches_of(rows: slice, at_once: int) -> list[Tensor]:
    """Return a run of rows, some at a time, as indices ``(b,)``."""
    return [torch.arange(start, min(start + at_once, rows.stop)) for start in range(rows.start, rows.stop, at_once)]


@contextmanager
def prepared(
    model: GenerativeModel,
    guide: AmortisedGuide,
    x: Tensor,
    particles: int,
    proposal: Proposal,
    memory: int,
    seed: int,
    c: Tensor | None = None,
) -> Iterator[tuple[Joint, int]]:
    """Check what :func:`log_likelihood` is given, set modes and seed, and give the joint and the size of a batch."""
    require_pair(model, guide)
    model.require_likelihood()
    if not isinstance(proposal, Proposal):
        raise UsageError(f"a proposal needs to be an object such as Refined() or Amortised(), but got {proposal!r}")
    whole("particles", particles)
    whole("memory", memory, least=0)
    model.check(x, c=c)
    with evaluating(model, guide), unchecked(), seeded(seed, device_of(model)):
        require_sites(model, guide, x[:2], rows_of(c, slice(2)))
        first = rows_of(c, slice(1))
        one = Joint(model, guide, x[:1], 1, c=first)
        z = one.proposed.sample(torch.Size((1,)))
        a_pass = bytes_allocated(lambda: one.log_prob(z))
        if model.is_bound:
            a_pass *= NOISY_ROWS
        rows, at_once = _within(memory, particles, a_pass, proposal, z.shape[-1], x[:1].numel())
        # A decoder may return a view of its input.
        directions = rows * a_pass // max(1, bytes_allocated(lambda: model.decode(z, first)))
        streams, bank = Streams.of(x, seed), Bank(model, seed, first)
        yield Joint(model, guide, x, rows, directions, streams=streams, bank=bank, c=c), at_once


def _score(joint: Joint, proposal: Proposal, particles: int, keep_weights: int, keep_particles: int) -> Piece:
    """Return the diagnostics of some data by name, and what is kept of the first of them."""
    sampler = proposal(joint)
    log_weights, kept, start = np.empty((particles, len(joint))), list[np.ndarray](), 0
    unseen = torch.isnan(joint.x).flatten(1).all(1).nonzero().squeeze(1)
    prior = joint.select(unseen).from_prior(torch.full((len(unseen),), particles)) if len(unseen) else []
    for z, log_w in in_blocks(sampler, particles):
        # Of a datum without an entry that is seen log p(x) is 0, and the prior its posterior.
        for b, draws in zip(unseen.tolist(), prior, strict=True):
            z[:, b], log_w[:, b] = draws[start : start + len(log_w)], 0.0
        log_weights[start : start + len(log_w)] = log_w.cpu().numpy()
        kept.append(z[:, :keep_particles].cpu().numpy())
        start += len(log_w)
    with np.errstate(invalid="ignore"):  # of unusable weights
        mean_log_weight = log_weights.mean(0)
    return {
        **vars(diagnose(log_weights)),
        "mean_log_weight": mean_log_weight,
        "evaluations": (sampler.spent + particles * sampler.evaluations).numpy(),
        "log_weights": log_weights[:, :keep_weights].copy(),
        "z": np.concatenate(kept),
    }


def _within(
    memory: int, particles: int, a_pass: int, proposal: Proposal, latent: int, features: int
) -> tuple[int, int]:
    """Return how many passes of the decoder, and how many data, fit into the memory at once.

    Passes get one half of it, the weights and fits of the data the other.
    """
    datum = particles * _BYTES_OF_A_WEIGHT + proposal.state_bytes(latent, particles)
    needed = datum + particles * _BYTES_FOR_KHAT + a_pass
    if memory < needed:
        raise UsageError(
            f"one datum needs {needed} bytes ({a_pass} for a pass of the decoder, the rest for {particles} particles "
            f"and the {proposal.name} proposal), but memory={memory}; allow more, or take fewer particles"
        )
    room = memory - needed
    rows = 1 + room // 2 // a_pass
    return rows, min(_MOST, max(proposal.batch, _NUMBERS // features), 1 + room // 2 // datum)
