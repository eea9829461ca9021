"""Weighted particles of the posterior, some data at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from obsvae.inference.conditions import rows_of
from obsvae.inference.likelihood.diagnostics import WeightDiagnostics, smoothed_weights
from obsvae.inference.likelihood.estimate import log_likelihood
from obsvae.inference.likelihood.proposals.base import Proposal
from obsvae.inference.modes import device_of
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


def particles_of(
    model: GenerativeModel,
    guide: AmortisedGuide,
    x: Tensor,
    particles: int,
    *,
    c: Tensor | None = None,
    proposal: Proposal | None = None,
    memory: int = 2**27,
    seed: int = 0,
    progress: bool = True,
    doing: str = "",
    processes: Processes = ALONE,
) -> Iterator[Particles]:
    """Return weighted particles of x ``(N, *event)``, for as many data at a time as the memory allows.

    Args:
        model: the generative model.
        guide: its guide.
        x: data in data units, on the model's device; entries may be missing where the model takes that.
        particles: K, for each datum.
        c: conditions of the data ``(N, C)``; None where the model has none.
        proposal: where they come from, as :func:`log_likelihood` takes it.
        memory: bound on the working memory in bytes.
        seed: of the particles.
        progress: show a progress bar where standard error is a terminal.
        doing: what the bar says of itself.
        processes: that share the data: each gets the particles of its own.

    Raises:
        UsageError, MeasureMismatch: as :func:`log_likelihood` does.
    """
    entries = max(1, x[:1].numel())
    at_once = max(1, min(_MOST_AT_ONCE, memory // 2 // (particles * entries * _BYTES_OF_AN_ENTRY)))
    own = processes.part(len(x))
    with tqdm(total=own.stop - own.start, unit="datum", desc=doing or None, disable=None if progress else True) as bar:
        for start in range(own.start, own.stop, at_once):
            batch = x[start : min(start + at_once, own.stop)]
            found = log_likelihood(
                model,
                guide,
                batch,
                particles,
                c=rows_of(c, slice(start, start + len(batch))),
                proposal=proposal,
                memory=memory // 2,
                keep_weights=len(batch),
                keep_particles=len(batch),
                seed=seed,
                progress=False,
            )
            assert found.z is not None
            assert found.log_weights is not None
            z = torch.from_numpy(found.z).to(device_of(model))
            log_weights = torch.from_numpy(found.log_weights).to(z.device)
            yield Particles(slice(start, start + len(batch)), z, log_weights, found.weights)
            bar.update(len(batch))
