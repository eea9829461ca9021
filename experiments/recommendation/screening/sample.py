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
        fitted_inputs: what the other features and the conditions say of each, ``(N, D, K)``; None where there are none.
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
    """Return rows and features of a variable, drawn by a seed, with what other features and conditions say of each.

    Rows are fitted that train, and rows scored that validate; of few of these, some that train are scored instead.

    Args:
        data: on the grids that the candidates are ranked on.
        name: of a column; empty for an array as a whole.
        seed: of the draws.
    """
    with seeded(seed, torch.device("cpu")):
        at = {split: torch.randperm(len(data.split(split))) for split in ("train", "validation")}
        train, validation = (_with_conditions(data, split, order) for split, order in at.items())
        more = max(0, min(_SCORED, int(_SHARE * (len(train.x) + len(validation.x)))) - len(validation.x))
        scored, fitted = validation.and_then(train.rows(slice(more))), train.rows(slice(more, None))
        scored, fitted = scored.rows(slice(_SCORED)), fitted.rows(slice(_FITTED))
        if data.columns is not None:
            return _of_column(data, [column.name for column in data.columns].index(name), fitted, scored)
        return _of_array(data, fitted.rows(slice(_OF_ARRAY)), scored)


@dataclass(frozen=True)
class _Rows:
    """Rows x ``(n, *event)`` with their conditions c ``(n, C)``; C is 0 where there are none."""

    x: Tensor
    c: Tensor

    def rows(self, which: slice | Tensor) -> "_Rows":
        return _Rows(self.x[which], self.c[which])

    def and_then(self, other: "_Rows") -> "_Rows":
        return _Rows(torch.cat([self.x, other.x]), torch.cat([self.c, other.c]))


def _with_conditions(data: Dataset, split: str, order: Tensor) -> _Rows:
    x = data.split(split).cpu()
    c = data.given[split].cpu() if data.given else torch.zeros(len(x), 0)
    return _Rows(x[order], c[order])


def _of_column(data: Dataset, d: int, fitted_rows: _Rows, scored_rows: _Rows) -> Sample:
    """Return those of a column, where it is not missing."""
    assert data.columns is not None
    others = [i for i in range(len(data.columns)) if i != d]
    fitted_rows, scored_rows = (rows.rows(~rows.x[:, d].isnan()) for rows in (fitted_rows, scored_rows))
    fitted, scored = fitted_rows.x, scored_rows.x
    of_fitted = of_scored = None
    if others:
        seen = inputs_of(replace(data, columns=tuple(data.columns[i] for i in others)))
        seen.initialise(fitted[:, others])
        with torch.no_grad():
            of_fitted, of_scored = _summaries(seen(fitted[:, others]), seen(scored[:, others]))
        of_fitted, of_scored = of_fitted.unsqueeze(1), of_scored.unsqueeze(1)
    of_fitted, of_scored = _and_conditions(of_fitted, fitted_rows, 1), _and_conditions(of_scored, scored_rows, 1)
    single = replace(alone(data, d), has_missing=False)
    return Sample(single, fitted[:, d : d + 1], scored[:, d : d + 1], of_fitted, of_scored, 1.0)


def _and_conditions(inputs: Tensor | None, rows: _Rows, features: int) -> Tensor | None:
    """Return what the other features say ``(n, D, K)``, if anything, and the conditions beside it."""
    if not rows.c.shape[1]:
        return inputs
    c = rows.c.unsqueeze(1).expand(-1, features, -1)
    return c if inputs is None else torch.cat([inputs, c], -1)


def _of_array(data: Dataset, fitted_rows: _Rows, scored_rows: _Rows) -> Sample:
    """Return some features of an array that vary."""
    fitted, scored = fitted_rows.x.flatten(1), scored_rows.x.flatten(1)
    features = fitted.shape[1]
    filled = [torch.where(part.isnan(), fitted.nanmean(0), part) for part in (fitted, scored)]
    spread = filled[0].std(0)
    chosen = _shuffled((spread > 0).nonzero().flatten())[:_FEATURES].sort().values
    u = [(part - filled[0].mean(0)) / spread.clamp_min(1e-12) * (spread > 0) for part in filled]
    of_fitted = of_scored = None
    if features > 1:
        summaries = [_summaries(*(_without(part, d, features) for part in u)) for d in chosen.tolist()]
        of_fitted, of_scored = (torch.stack(list(parts), 1) for parts in zip(*summaries, strict=True))
    of_fitted = _and_conditions(of_fitted, fitted_rows, len(chosen))
    of_scored = _and_conditions(of_scored, scored_rows, len(chosen))
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
