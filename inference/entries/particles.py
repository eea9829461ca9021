"""Weighted particles of the posterior, some data at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from obsvae.inference.conditions import rows_of
from obsvae.inference.likelihood.diagnostics import WeightDiagnostics, smoothed_weights
from obsvae.inference.likelihood.estimate import log_likelihood
from obsvae.inference.likelihood.proposals.base import Proposal
from obsvae.inference.modes import device_of
from obsvae.inference.pieces import NOT_KEPT, Piece, Pieces
from obsvae.inference.processes.alone import ALONE, Processes
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel

# Bytes of an entry under a particle: its value or log-probability, in float32 and in double precision, and a copy.
_BYTES_OF_AN_ENTRY = 4 + 8 + 8
_MOST_AT_ONCE = 500


@dataclass(frozen=True)
class Particles:
    """K weighted particles of p(z | x), of b data.

    Attributes:
        rows: which of the data, as a slice.
        z: ``(K, b, D)``.
        log_weights: log p(x, z) − log q(z) in nats, ``(K, b)`` in double precision.
        diagnostics: what the weights say of themselves.
    """

    rows: slice
    z: Tensor
    log_weights: Tensor
    diagnostics: WeightDiagnostics

    @property
    def weights(self) -> Tensor:
        """Pareto smoothed weights, which add up to one, ``(K, b)``; NaN for a datum without a usable weight."""
        return torch.from_numpy(smoothed_weights(self.log_weights.cpu().numpy())).to(self.z.device)


def by_particles(
    model: GenerativeModel,
    guide: AmortisedGuide,
    x: Tensor,
    particles: int,
    compute: Callable[[Particles], Piece],
    *,
    c: Tensor | None = None,
    proposal: Proposal | None = None,
    memory: int = 2**27,
    seed: int = 0,
    progress: bool = True,
    doing: str = "",
    processes: Processes = ALONE,
    pieces: Pieces = NOT_KEPT,
) -> Iterator[tuple[slice, Piece]]:
    """Return what is computed from weighted particles of x ``(N, *event)``, and of which rows, some data at a time.

    At a time there are as many as the memory allows.

    Args:
        model: the generative model.
        guide: its guide.
        x: data in data units, on the model's device; entries may be missing where the model takes that.
        particles: K, for each datum.
        compute: returns arrays by name.
        c: conditions of the data ``(N, C)``; None where the model has none.
        proposal: where they come from, as :func:`log_likelihood` takes it.
        memory: bound on the working memory in bytes.
        seed: of the particles.
        progress: show a progress bar where standard error is a terminal.
        doing: what the bar says of itself.
        processes: that share the data: each gets what is of its own.
        pieces: which keep what is computed.

    Raises:
        UsageError, MeasureMismatch: as :func:`log_likelihood` does.
    """
    entries = max(1, x[:1].numel())
    at_once = max(1, min(_MOST_AT_ONCE, memory // 2 // (particles * entries * _BYTES_OF_AN_ENTRY)))
    own = processes.part(len(x))
    runs = [slice(start, min(start + at_once, own.stop)) for start in range(own.start, own.stop, at_once)]

    def computed(number: int) -> Piece:
        rows = runs[number]
        n = rows.stop - rows.start
        found = log_likelihood(
            model,
            guide,
            x[rows],
            particles,
            c=rows_of(c, rows),
            proposal=proposal,
            memory=memory // 2,
            keep_weights=n,
            keep_particles=n,
            seed=seed,
            progress=False,
        )
        assert found.z is not None
        assert found.log_weights is not None
        z = torch.from_numpy(found.z).to(device_of(model))
        log_weights = torch.from_numpy(found.log_weights).to(z.device)
        return compute(Particles(rows, z, log_weights, found.weights))

    with tqdm(total=own.stop - own.start, unit="datum", desc=doing or None, disable=None if progress else True) as bar:
        for rows, piece in zip(runs, pieces.each(len(runs), computed), strict=True):
            yield rows, piece
            bar.update(rows.stop - rows.start)
