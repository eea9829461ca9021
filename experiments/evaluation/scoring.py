"""The likelihood of held-out data with its summary."""

import time
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from obsvae.guides import Guide
from obsvae.inference import LogLikelihood, Proposal, elbo, log_likelihood
from obsvae.inference.pieces import NOT_KEPT, Pieces
from obsvae.inference.processes.alone import ALONE, Processes
from obsvae.model import VAE


@dataclass(frozen=True)
class Scored:
    """A likelihood of held-out data.

    Attributes:
        likelihood: of each datum.
        summary: what :meth:`LogLikelihood.summary` returns, with ``measure`` (of the numbers), ``is_bound`` (whether
            they are random lower bounds) and ``seconds`` (taken).
    """

    likelihood: LogLikelihood
    summary: dict[str, Any]


def score(
    model: VAE,
    guide: Guide,
    x: Tensor,
    particles: int,
    proposal: Proposal | None = None,
    *,
    c: Tensor | None = None,
    memory: int = 2**27,
    seed: int = 0,
    keep: int = 0,
    keep_particles: int = 0,
    progress: bool = True,
    processes: Processes = ALONE,
    pieces: Pieces = NOT_KEPT,
) -> Scored:
    """Estimate log p(x) of held-out data x ``(N, *event)``, and sum it up.

    Args:
        model: the generative model.
        guide: its guide.
        x: data in data units, on the model's device.
        particles: K, for each datum.
        proposal: where the particles come from; :class:`Refined` by default.
        c: conditions of the data ``(N, C)``; None where the model has none.
        memory: bound on the working memory in bytes.
        seed: of the particles.
        keep: number of data, the first ones, whose log-weights are kept.
        keep_particles: number of data, the first ones, whose particles are kept.
        progress: show a progress bar.
        processes: that share the data, as :func:`log_likelihood` takes them.
        pieces: which keep what is computed, likewise.

    Raises:
        UsageError, MeasureMismatch: as :func:`log_likelihood` does.
    """
    start = time.perf_counter()
    found = log_likelihood(
        model,
        guide,
        x,
        particles,
        c=c,
        proposal=proposal,
        memory=memory,
        keep_weights=keep,
        keep_particles=keep_particles,
        seed=seed,
        progress=progress,
        processes=processes,
        pieces=pieces,
    )
    seconds = time.perf_counter() - start + pieces.seconds
    about = {"measure": model.measure.value, "is_bound": model.is_bound, "seconds": seconds}
    return Scored(found, {**found.summary(), **about})


def mean_elbo(
    model: VAE,
    guide: Guide,
    x: Tensor,
    *,
    c: Tensor | None = None,
    memory: int = 2**27,
    seed: int = 0,
    processes: Processes = ALONE,
) -> float | None:
    """Return the mean over data of the guide's ELBO in nats; None for a point mass, which has none."""
    if not guide.has_density:
        return None
    return float(elbo(model, guide, x, c=c, memory=memory, seed=seed, processes=processes).mean())
