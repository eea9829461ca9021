"""Missing entries filled from the posterior."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from obsvae.inference.conditions import rows_of
from obsvae.inference.entries.particles import Particles, by_particles
from obsvae.inference.latents.draws import draw
from obsvae.inference.likelihood.density.randomness import Streams
from obsvae.inference.likelihood.proposals.base import Proposal
from obsvae.inference.modes import device_of, unchecked
from obsvae.inference.pieces import NOT_KEPT, Piece, Pieces
from obsvae.inference.processes.alone import ALONE, Processes
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.sites import require_data
from obsvae.modes import another, evaluating, seeded
from obsvae.whole_numbers import whole


class Point(ABC):
    """One value for a distribution that weighted draws stand for."""

    @abstractmethod
    def __call__(self, draws: Tensor, weights: Tensor, means: Tensor) -> Tensor:
        """Return the value of each of n entries ``(n,)``.

        Args:
            draws: of x, ``(K, n)``.
            weights: which add up to one, likewise.
            means: E[x | z] of each draw's z, likewise.
        """


class Mean(Point):
    """The mean, by the conditional means: of squared error the best."""

    def __call__(self, draws: Tensor, weights: Tensor, means: Tensor) -> Tensor:
        """Return Σ w E[x | z]."""
        return (weights * means).sum(0)


class Median(Point):
    """The median, for skewed numbers and for levels with an order: of absolute error the best."""

    def __call__(self, draws: Tensor, weights: Tensor, means: Tensor) -> Tensor:
        """Return the least draw up to which half of the weight lies."""
        ordered, order = draws.sort(0)
        reached = (weights.gather(0, order).cumsum(0) < 0.5).sum(0, keepdim=True).clamp(max=len(draws) - 1)
        return ordered.gather(0, reached).squeeze(0)


class Mode(Point):
    """The most probable of a few values, such as levels: of the share of wrong ones the best."""

    def __call__(self, draws: Tensor, weights: Tensor, means: Tensor) -> Tensor:
        """Return the value with the most weight, of equals the least."""
        values, place = draws.unique(return_inverse=True)
        total = weights.new_zeros(len(values), draws.shape[1]).scatter_add_(0, place, weights)
        return values[total.argmax(0)]


class Direction(Point):
    """The mean direction of angles.

    Args:
        low: where a turn begins.
        high: where it ends.
    """

    def __init__(self, low: float, high: float) -> None:
        self.low, self.turn = low, high - low

    def __call__(self, draws: Tensor, weights: Tensor, means: Tensor) -> Tensor:
        """Return the angle of Σ w e^{ix}."""
        angle = (draws - self.low) * (2 * torch.pi / self.turn)
        found = torch.atan2((weights * angle.sin()).sum(0), (weights * angle.cos()).sum(0))
        return self.low + (found % (2 * torch.pi)) * (self.turn / (2 * torch.pi))


@dataclass(frozen=True)
class Imputed:
    """Data whose missing entries are filled; those that are seen stay as they are.

    Attributes:
        point: with one value in each, ``(N, *event)``.
        draws: independent draws from p(x_missing | x_seen), ``(M, N, *event)``: multiple imputations.
        flagged: whether the particles of a datum are not to be trusted, ``(N,)``.
    """

    point: np.ndarray
    draws: np.ndarray
    flagged: np.ndarray


def impute(
    model: GenerativeModel,
    guide: AmortisedGuide,
    x: Tensor,
    draws: int = 20,
    *,
    c: Tensor | None = None,
    points: Sequence[Point] | Point | None = None,
    everywhere: bool = False,
    particles: int = 500,
    proposal: Proposal | None = None,
    memory: int = 2**27,
    seed: int = 0,
    progress: bool = True,
    processes: Processes = ALONE,
    pieces: Pieces = NOT_KEPT,
) -> Imputed:
    r"""Fill missing entries from what is seen of each datum.

    .. math:: p(x_\text{missing} \mid x_\text{seen}) = \int p(x_\text{missing} \mid z)\, p(z \mid x_\text{seen})\, dz

    by particles of p(z | x_seen) with their Pareto smoothed weights.

    Args:
        model: the generative model.
        guide: its guide.
        x: data ``(N, *event)`` in data units; NaN where an entry is missing.
        draws: M, the number of imputations; 0: the point values alone.
        c: conditions of the data ``(N, C)``; None where the model has none.
        points: which value stands for the distribution of an entry: of each feature of vectors, or of all; by default
            the mean.
        everywhere: fill every entry, those that are seen too: a reproduction of the data.
        particles: K, for each datum.
        proposal: where they come from, as :func:`log_likelihood` takes it.
        memory: bound on the working memory in bytes.
        seed: of particles and draws.
        progress: show a progress bar where standard error is a terminal.
        processes: that share the data, where each calls this function alike; each returns all results.
        pieces: which keep what is computed of some data at a time, so that interrupted work goes on.

    Raises:
        UsageError: as :func:`log_likelihood` does.

    Reference: Rubin, *Multiple imputation for nonresponse in surveys*, 1987.
    """
    require_data(model, guide, x)
    model.require_given(c, len(x))
    whole("draws", draws, least=0)
    points = Mean() if points is None else points
    holes = torch.ones_like(x, dtype=torch.bool) if everywhere else torch.isnan(x)
    # Data without a hole need no particles.
    rows = holes.flatten(1).any(1).nonzero().squeeze(1)
    # A datum's draws are its own: neither the others, nor their order, nor how they are cut into chunks change them.
    streams = Streams.of(x[rows], another(seed), is_distinct=True)
    given = rows_of(c, rows)

    def filled(some: Particles) -> Piece:
        of = rows[some.rows]
        weights = some.weights.to(x.dtype)
        weights = torch.where(torch.isnan(weights), 1.0 / len(weights), weights)
        fill = partial(_filled, model, some, weights, draws, rows_of(given, some.rows))
        with torch.no_grad(), evaluating(model), unchecked(), seeded(seed, device_of(model)):
            found = streams.select(torch.arange(some.rows.start, some.rows.stop)).each(fill)
        drawn, means, imputations = (torch.cat(parts, 1) for parts in zip(*found, strict=True))
        hole, best = holes[of], x[of]
        for where, function in _of_features(points, hole):
            if bool(where.any()):
                each = weights.reshape(*weights.shape, *[1] * (x.ndim - 1)).expand_as(drawn)
                best[where] = function(drawn[:, where], each[:, where], means[:, where])
        return {
            "rows": of.cpu().numpy(),
            "point": best.cpu().numpy(),
            "draws": torch.where(hole, imputations, x[of]).cpu().numpy(),
            "flagged": some.diagnostics.flagged,
        }

    how: dict[str, Any] = {"proposal": proposal, "memory": memory, "seed": seed, "progress": progress}
    how |= {"c": given, "processes": processes, "pieces": pieces}
    sampled = by_particles(model, guide, x[rows], particles, filled, doing="filling", **how) if len(rows) else ()
    found = [piece for _, piece in sampled]
    point = x.cpu().numpy().copy()
    imputed, flagged = np.repeat(point[None], draws, 0), np.zeros(len(x), bool)
    for piece in (one for some in processes.gather(found) for one in some):
        of = piece["rows"]
        point[of], imputed[:, of], flagged[of] = piece["point"], piece["draws"], piece["flagged"]
    return Imputed(point, imputed, flagged)


def _of_features(points: Sequence[Point] | Point, hole: Tensor) -> list[tuple[Tensor, Point]]:
    """Return where each point value is wanted ``(b, *event)``."""
    if isinstance(points, Point):
        return [(hole, points)]
    found = []
    for point in dict.fromkeys(points):
        of = torch.tensor([other is point for other in points], device=hole.device)
        found.append((hole & of, point))
    return found


def _filled(
    model: GenerativeModel, some: Particles, weights: Tensor, draws: int, given: Tensor | None, b: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return a draw and the mean of x for each particle of datum b, ``(K, 1, *event)``, and M draws of x in all."""
    z, c = some.z[:, b : b + 1], rows_of(given, slice(b, b + 1))
    totals = weights[:, b].double().cumsum(0)
    # At least one: torch takes no empty sample of some families.
    u = torch.rand(max(1, draws), dtype=torch.float64).to(totals.device) * totals[-1]
    which = torch.searchsorted(totals, u).clamp(max=len(z) - 1)
    return draw(model, z, c), model.mean(z, c), draw(model, z[which], c)[:draws]
