"""The rows and the features that candidates are screened on, and what the other features say of each."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from obsvae.data import Dataset
from obsvae.experiments.inputs import inputs_of
from obsvae.experiments.recommendation.listing.variable import alone
from obsvae.modes import seeded
from obsvae.units import unit_shape_of

# Rows that are fitted and rows that are scored at most; features of an array, each of which has outputs of its own, and
# rows of it that are fitted.
_FITTED, _SCORED, _FEATURES, _OF_ARRAY = 1000, 500, 8, 700
# The rows that validate are few in small data: then others are scored, too, up to this share of them all.
_SHARE = 1 / 3
# Directions in which the other features vary most, and how far along them they are told apart, in standard deviations;
# rows for each weight that they cost, at least: with fewer the fit would rest on chance.
_DIRECTIONS, _FAR, _ROWS_OF_A_WEIGHT = 4, 2.5, 10


@dataclass(frozen=True)
class Sample:
    """Some rows and features of a variable.

    Attributes:
        data: the variable alone, from which observations are made, ``(N, D)``.
        fitted: rows to fit, ``(N, D)``.
        scored: rows to score, ``(M, D)``.
        fitted_inputs: what the other features say of each, ``(N, D, K)``; None where there are no others.
        scored_inputs: likewise, ``(M, D, K)``.
        scale: features of the variable for each one here.
    """

    data: Dataset
    fitted: Tensor
    scored: Tensor
    fitted_inputs: Tensor | None
    scored_inputs: Tensor | None
    scale: float


def sample(data: Dataset, name: str, seed: int) -> Sample:
    """Return rows and features of a variable, drawn by a seed, with what the other features say of each.

    Rows are fitted that train, and rows scored that validate; of few of these, some that train are scored instead.

    Args:
        data: on the grids that the candidates are ranked on.
        name: of a column; empty for an array as a whole.
        seed: of the draws.
    """
    with seeded(seed, torch.device("cpu")):
        train, validation = _shuffled(data.train), _shuffled(data.validation)
        more = max(0, min(_SCORED, int(_SHARE * (len(train) + len(validation)))) - len(validation))
        scored, fitted = torch.cat([validation, train[:more]])[:_SCORED], train[more:][:_FITTED]
        if data.columns is not None:
            return _of_column(data, [column.name for column in data.columns].index(name), fitted, scored)
        return _of_array(data, fitted[:_OF_ARRAY].flatten(1), scored.flatten(1))


def _of_column(data: Dataset, d: int, fitted: Tensor, scored: Tensor) -> Sample:
    """Return those of a column, where it is not missing."""
    assert data.columns is not None
    others = [i for i in range(len(data.columns)) if i != d]
    fitted, scored = fitted[~fitted[:, d].isnan()], scored[~scored[:, d].isnan()]
    of_fitted = of_scored = None
    if others:
        seen = inputs_of(replace(data, columns=tuple(data.columns[i] for i in others)))
        seen.initialise(fitted[:, others])
        with torch.no_grad():
            of_fitted, of_scored = _summaries(seen(fitted[:, others]), seen(scored[:, others]))
        of_fitted, of_scored = of_fitted.unsqueeze(1), of_scored.unsqueeze(1)
    single = replace(alone(data, d), has_missing=False)
    return Sample(single, fitted[:, d : d + 1], scored[:, d : d + 1], of_fitted, of_scored, 1.0)


def _of_array(data: Dataset, fitted: Tensor, scored: Tensor) -> Sample:
    """Return some features of an array that vary."""
    features = fitted.shape[1]
    filled = [torch.where(part.isnan(), fitted.nanmean(0), part) for part in (fitted, scored)]
    spread = filled[0].std(0)
    chosen = _shuffled((spread > 0).nonzero().flatten())[:_FEATURES].sort().values
    u = [(part - filled[0].mean(0)) / spread.clamp_min(1e-12) * (spread > 0) for part in filled]
    of_fitted = of_scored = None
    if features > 1:
        summaries = [_summaries(*(_without(part, d, features) for part in u)) for d in chosen.tolist()]
        of_fitted, of_scored = (torch.stack(list(parts), 1) for parts in zip(*summaries, strict=True))
    shared = len(data.unit_shape) != 1 or data.unit_shape[0] != features
    data = replace(
        data,
        train=data.train.flatten(1)[:, chosen],
        validation=data.validation.flatten(1)[:, chosen],
        test=data.test.flatten(1)[:, chosen],
        names=None,
        units="all" if shared else "column",
        noise=None,
        recipe=None,
    )
    assert unit_shape_of(data.event_shape, data.units) == data.unit_shape
    return Sample(data, fitted[:, chosen], scored[:, chosen], of_fitted, of_scored, features / len(chosen))


def _without(u: Tensor, d: int, features: int) -> Tensor:
    return u[:, [i for i in range(features) if i != d]]


def _summaries(fitted: Tensor, scored: Tensor) -> tuple[Tensor, Tensor]:
    """Return the directions of most variance and their squares and products, of both, in units of their spread."""
    mean = fitted.mean(0)
    most = min(_DIRECTIONS, *fitted.shape)
    K = max((k for k in range(2, most + 1) if k * (k + 3) / 2 * _ROWS_OF_A_WEIGHT <= len(fitted)), default=1)
    directions = torch.linalg.svd(fitted - mean, full_matrices=False).Vh[:K].T
    parts = [(part - mean) @ directions for part in (fitted, scored)]
    spread = parts[0].std(0).clamp_min(1e-6)
    along = [(part / spread).clamp(-_FAR, _FAR) for part in parts]
    rows, columns = torch.triu_indices(K, K)
    squares = [part[:, rows] * part[:, columns] for part in along]
    centre, size = squares[0].mean(0), squares[0].std(0).clamp_min(1e-6)
    both = [torch.cat([a, (s - centre) / size], 1) for a, s in zip(along, squares, strict=True)]
    return both[0], both[1]


def _shuffled(x: Tensor) -> Tensor:
    return x.cpu()[torch.randperm(len(x))]
