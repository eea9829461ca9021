"""The score of each entry of a datum, given all others."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from obsvae.inference.conditions import rows_of
from obsvae.inference.entries.particles import Particles, by_particles
from obsvae.inference.likelihood.diagnostics import WeightDiagnostics, diagnose
from obsvae.inference.likelihood.proposals.base import Proposal
from obsvae.inference.modes import device_of, unchecked
from obsvae.inference.pieces import NOT_KEPT, Piece, Pieces
from obsvae.inference.processes.alone import ALONE, Processes
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.sites import require_data
from obsvae.modes import evaluating, seeded

# What is found of each entry by the particles of its datum.
_OF_ENTRIES = ("log_probability", "standard_error", "flagged")


@dataclass(frozen=True)
class ConditionalScores:
    """log p(x_d | the other entries) of each entry, in nats on the measure of its feature; NaN where it is missing.

    Attributes:
        log_probability: ``(N, *event)``.
        standard_error: of the particles, likewise.
        flagged: whether it is not to be trusted, likewise.
        hidden: whether it was found by a run of its own with the entry hidden, likewise.
        whole: log p of each datum by the same particles, with its diagnostics.
    """

    log_probability: np.ndarray
    standard_error: np.ndarray
    flagged: np.ndarray
    hidden: np.ndarray
    whole: WeightDiagnostics


def conditional_scores(
    model: GenerativeModel,
    guide: AmortisedGuide,
    x: Tensor,
    particles: int = 500,
    *,
    c: Tensor | None = None,
    proposal: Proposal | None = None,
    memory: int = 2**27,
    seed: int = 0,
    progress: bool = True,
    features: Sequence[int] | None = None,
    processes: Processes = ALONE,
    pieces: Pieces = NOT_KEPT,
) -> ConditionalScores:
    r"""Score each entry that is seen by what the others say of it.

    .. math:: \log p(x_d \mid x_{-d}) = \log p(x) - \log p(x_{-d}), \qquad
              \hat p(x_{-d}) = \frac{1}{K} \sum_{k=1}^{K} \frac{w_k}{p(x_d \mid z_k)}, \qquad
              w_k = \frac{p(x, z_k)}{q(z_k)}

    One set of particles of a datum serves all its entries. Where its weights for the posterior without an entry are
    not to be trusted (k̂ above 0.7, ESS below 10), which is where the entry moves the posterior most, the datum is run
    again with that entry hidden, from the encoder on.

    Args:
        model: the generative model, of data whose entries may be missing.
        guide: its guide.
        x: data ``(N, *event)`` in data units.
        particles: K, for each run of a datum.
        c: conditions of the data ``(N, C)``; None where the model has none.
        proposal: where they come from, as :func:`log_likelihood` takes it.
        memory: bound on the working memory in bytes.
        seed: of the particles.
        progress: show a progress bar where standard error is a terminal.
        features: of the first axis of a datum those whose entries are scored, from 0, which saves time; None: all. The
            scores of the others are NaN.
        processes: that share the data, where each calls this function alike; each returns all results.
        pieces: which keep what is computed of some data at a time, so that interrupted work goes on.

    Raises:
        UsageError: as :func:`log_likelihood` does, and for a model that takes no missing entries.
        MeasureMismatch: where the observation is not a likelihood.

    References: Gelfand, Dey and Chang, *Model determination using predictive distributions*, 1992 (the conditional
    predictive ordinate); Vehtari, Gelman and Gabry, *Practical Bayesian model evaluation using leave-one-out
    cross-validation and WAIC*, Statistics and Computing 2017.
    """
    require_data(model, guide, x)
    model.check(
        torch.full_like(x[:1], torch.nan) if len(x) else x, c=rows_of(c, slice(1))
    )  # before any work: entries will be hidden
    model.require_given(c, len(x))
    own = processes.part(len(x))
    x, c = x[own], rows_of(c, own)
    sampled = partial(by_particles, model, guide, proposal=proposal, memory=memory, seed=seed, progress=progress)
    nothing, no = np.full(x.shape, np.nan), np.zeros(x.shape, bool)
    asked = ~torch.isnan(x)
    if features is not None:
        asked[:, [d for d in range(x.shape[1]) if d not in features]] = False
    whole = WeightDiagnostics(*np.full((len(fields(WeightDiagnostics)), len(x)), np.nan))
    found = ConditionalScores(nothing, nothing.copy(), no, no.copy(), whole)

    def scored(some: Particles) -> Piece:
        return _score(model, x[some.rows], asked[some.rows], some, seed, rows_of(c, some.rows))

    for run, piece in sampled(x, particles, scored, c=c, doing="entries", pieces=pieces.part("entries")):
        for name in _OF_ENTRIES:
            getattr(found, name)[run] = piece[name]
        for one in fields(WeightDiagnostics):
            getattr(whole, one.name)[run] = piece[f"whole {one.name}"]
    # Some at a time, which bounds the memory of their copies.
    some_entries = max(1, memory // (8 * x[:1].numel() or 1))
    entries = np.argwhere(found.flagged)
    splits = np.split(entries, range(some_entries, len(entries), some_entries)) if len(entries) else []
    for number, again in enumerate(splits):
        rows = torch.from_numpy(again[:, 0])
        without = x[rows].clone()
        where = (torch.arange(len(rows)), *(torch.from_numpy(again[:, axis]) for axis in range(1, again.shape[1])))
        without[where] = torch.nan
        at = tuple(again.T)
        how: dict[str, Any] = {
            "c": rows_of(c, rows),
            "doing": "entries hidden",
            "pieces": pieces.part(f"hidden-{number}"),
        }
        for run, piece in sampled(without, particles, _diagnostics, **how):
            place, weights = tuple(index[run] for index in at), WeightDiagnostics(**piece)
            row = place[0]
            found.log_probability[place] = whole.estimate[row] - weights.estimate
            found.standard_error[place] = np.hypot(whole.standard_error[row], weights.standard_error)
            found.flagged[place] = weights.flagged | whole.flagged[row]
            found.hidden[place] = True
    return _joined(processes.gather(found))


def _joined(parts: Sequence[ConditionalScores]) -> ConditionalScores:
    """Return the scores of all data from those of runs of them."""

    def joined(of: Sequence[object], kind: type) -> dict[str, np.ndarray]:
        names = [one.name for one in fields(kind) if one.name != "whole"]
        return {name: np.concatenate([getattr(one, name) for one in of]) for name in names}

    whole = WeightDiagnostics(**joined([one.whole for one in parts], WeightDiagnostics))
    return ConditionalScores(**joined(parts, ConditionalScores), whole=whole)


def _diagnostics(some: Particles) -> Piece:
    return {**vars(some.diagnostics)}


def _score(model: GenerativeModel, x: Tensor, asked: Tensor, some: Particles, seed: int, c: Tensor | None) -> Piece:
    """Score the entries of some data that are asked for ``(b, *event)`` by the particles of each datum."""
    with torch.no_grad(), evaluating(model), unchecked(), seeded(seed, device_of(model)):
        log_p = torch.stack([model.given(z, c).log_prob(x) for z in some.z])  # (K, b, *event)
    log_w = some.log_weights.cpu().numpy()
    place = np.nonzero(asked.cpu().numpy())
    rows = place[0]
    of_entries = log_p[:, asked].double().cpu().numpy()  # (K, entries)
    without = diagnose(log_w[:, rows] - of_entries)
    found = {name: np.full(x.shape, np.nan) for name in _OF_ENTRIES[:2]} | {"flagged": np.zeros(x.shape, bool)}
    found["log_probability"][place] = some.diagnostics.estimate[rows] - without.estimate
    found["standard_error"][place] = _standard_error(log_w[:, rows], log_w[:, rows] - of_entries)
    found["flagged"][place] = without.flagged | some.diagnostics.flagged[rows]
    return {**found, **{f"whole {name}": values for name, values in vars(some.diagnostics).items()}}


def _standard_error(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return that of the difference of two estimates by the same particles, from log-weights ``(K, n)``, ``(n,)``."""
    with np.errstate(all="ignore"):
        shares = [np.exp(log_w - np.logaddexp.reduce(log_w, 0)) for log_w in (one, other)]
        return np.sqrt(np.square(shares[0] - shares[1]).sum(0))
