"""log p(x) by quadrature over z, and the moments of the posterior: a lattice, refined where each datum needs it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.experiments.benchmarks.trust.scores import score_all, score_one, slope_of_one
from obsvae.inference.modes import unchecked
from obsvae.model import VAE
from obsvae.modes import evaluating

# Radius of the ball in z, and the spacing of the first lattice, by the number of latents.
_LATTICES = {1: (10.0, 0.005), 2: (8.0, 0.05), 3: (7.0, 0.2)}
# How much larger the ball is for data whose posterior reaches its edge, and how many of them it takes at once.
_WIDER, _FEW = 1.5, 20
# Cells are left out where even the most that log p(x, z) can be in them, by its slope, is lower by this many nats than
# a datum's highest: cells of the first lattice, whose highest point may be far from the top, and those of finer ones.
_FAINT, _FAINTER = 20.0, 14.0
# A datum is done where halving the spacing moves its log p(x) by less than the tolerance. It fails after the greatest
# number of halvings, or where it needs more than the greatest number of points at once.
TOLERANCE_NATS = 1e-3
_HALVINGS, _MOST_POINTS = 8, 2_000_000
# Greatest share of the posterior next to the edge of the ball.
_AT_THE_EDGE = 1e-4


@dataclass(frozen=True)
class Posteriors:
    """What quadrature tells of the posterior of each of N data, in double precision.

    Attributes:
        log_p: log p(x) in nats, ``(N,)``.
        change: by how much the last halving of the spacing has moved it, ``(N,)``.
        is_resolved: whether that is little enough, and all of the posterior was seen, ``(N,)``.
        mean: of z given x, ``(N, D)``.
        std: likewise.
        mode: the highest point, likewise.
    """

    log_p: Tensor
    change: Tensor
    is_resolved: Tensor
    mean: Tensor
    std: Tensor
    mode: Tensor

    def select(self, which: Tensor) -> "Posteriors":
        """Return those of some of the data, by index or mask."""
        return Posteriors(*(getattr(self, f.name)[which] for f in fields(self)))


def integrate(model: VAE, x: Tensor, tolerance: float = TOLERANCE_NATS) -> Posteriors:
    r"""Return log p(x) and the posterior's moments by the midpoint rule on cells that are halved until nothing moves.

    .. math:: \log p(x) \approx \log \sum_i h^D \, p(x, z_i)

    The sum runs over a lattice, on which the midpoint and the trapezoidal rule are one; for smooth densities it is
    exact to many digits once the spacing h is below 1.5 standard deviations of the posterior. Each datum has a lattice
    of its own from the second on: the cells that hold its posterior, halved.

    Args:
        model: with a standard Normal prior of 1, 2 or 3 latents; it is evaluated in its dtype, and summed in double.
        x: data ``(N, *event)``.
        tolerance: in nats, of :attr:`Posteriors.change`.

    Raises:
        UsageError: for more latents.

    Reference: Trefethen and Weideman, *The exponentially convergent trapezoidal rule*, SIAM Review 2014.
    """
    latent = model.prior.latent
    if latent not in _LATTICES:
        raise UsageError(f"quadrature over z takes 1, 2 or 3 latents, but the model has {latent}")
    radius, spacing = _LATTICES[latent]
    with evaluating(model), unchecked():
        found = _within(model, x, radius, spacing, tolerance)
        left_over = (~found.is_resolved).nonzero().squeeze(-1)
        for start in range(0, len(left_over), _FEW):
            left = left_over[start : start + _FEW]
            wider = _within(model, x[left], _WIDER * radius, spacing, tolerance)
            for f in fields(Posteriors):
                getattr(found, f.name)[left] = getattr(wider, f.name)
    return found


def _within(model: VAE, x: Tensor, radius: float, spacing: float, tolerance: float) -> Posteriors:
    """Return what quadrature over a ball tells."""
    cells = _cells(model, x, int(radius / spacing), spacing)
    found = [
        _refine(model, datum, index, log_p, spacing, radius, tolerance)
        for datum, (index, log_p) in zip(x, cells, strict=True)
    ]
    return Posteriors(*(torch.stack(column) for column in zip(*found, strict=True)))


def _cells(model: VAE, x: Tensor, n: int, spacing: float) -> Iterator[tuple[Tensor, Tensor]]:
    """Give for each datum the lattice points that hold its posterior ``(P, D)``, with log p(x, z) there ``(P,)``.

    The lattice has the points in a ball of radius n, in steps from its middle.
    """
    latent = model.prior.latent
    index = torch.cartesian_prod(*[torch.arange(-n, n + 1)] * latent).view(-1, latent)
    inside = (index.square().sum(-1) <= n**2).nonzero().squeeze(-1)
    # In the model's own precision: of many data it is the largest array by far.
    values = next(model.parameters()).new_full((len(x), len(index)), -torch.inf)
    for start, log_p in score_all(model, spacing * index[inside].double(), x):  # (g, N)
        values[:, inside[start : start + len(log_p)]] = log_p.mT.to(values)
    for value in values:
        most = value + _rise(value.view(*[2 * n + 1] * latent)).flatten()
        kept = most > value.max() - _FAINT
        yield index[kept], value[kept].double()


def _rise(log_p: Tensor) -> Tensor:
    """Return by how much more log p(x, z) can be in each cell than in its middle, by the steps to its neighbours.

    Over half a cell a concave function rises by no more than half of the greater step.
    """
    rise = torch.zeros_like(log_p)
    for axis in range(log_p.ndim):
        step = log_p.diff(dim=axis).abs().nan_to_num(0.0, 0.0)  # beyond the ball there is nothing
        edge = torch.zeros_like(log_p.narrow(axis, 0, 1))
        rise += 0.5 * torch.maximum(torch.cat([edge, step], axis), torch.cat([step, edge], axis))
    return rise


def _refine(
    model: VAE, datum: Tensor, index: Tensor, log_p: Tensor, spacing: float, radius: float, tolerance: float
) -> tuple[Tensor, ...]:
    """Halve the cells of one datum until its log p(x) moves no more; return the values of :class:`Posteriors`."""
    latent = index.shape[-1]

    def total_of(log_p: Tensor, spacing: float) -> Tensor:
        return log_p.logsumexp(0) + latent * math.log(spacing)

    z, total = spacing * index.double(), total_of(log_p, spacing)
    # Every other point in each direction: the lattice of twice the spacing.
    change = (total - total_of(log_p[(index % 2 == 0).all(-1)], 2.0 * spacing)).abs()
    corners = torch.cartesian_prod(*[torch.tensor([-0.25, 0.25], dtype=z.dtype)] * latent).view(-1, latent)
    cells = z
    for _ in range(_HALVINGS):
        if change < tolerance or len(cells) * len(corners) > _MOST_POINTS:
            break
        z = (cells.unsqueeze(1) + spacing * corners).flatten(0, 1)
        spacing /= 2.0
        log_p = score_one(model, z, datum)
        before, total = total, total_of(log_p, spacing)
        change = (total - before).abs()
        if change >= tolerance:
            most = log_p + 0.5 * spacing * slope_of_one(model, z, datum)
            cells = z[most > log_p.max() - _FAINTER]
    weights = (log_p - log_p.logsumexp(0)).exp()
    mean = weights @ z
    std = (weights @ (z - mean).square()).sqrt()
    at_the_edge = weights[z.norm(dim=-1) > radius - 0.5].sum()
    is_resolved = (change < tolerance) & (at_the_edge < _AT_THE_EDGE)
    return total, change, is_resolved, mean, std, z[log_p.argmax()]
