"""What held-out data have that a model does not say, in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from obsvae.inference.checks.columns import column_fits
from obsvae.inference.checks.predictive import Predictive, check_predictive
from obsvae.inference.columns import ColumnLike, is_ordered
from obsvae.inference.conditions import rows_of
from obsvae.inference.protocols import GenerativeModel

# Data that are looked at at most, and values that may be drawn, beyond the least number of draws for each datum.
_DATA, _VALUES, _PER_DATUM = 1000, 4_000_000, 20
# A difference counts where it is beyond this number of standard errors.
_ERRORS = 4.0
# Share from which on a number is a spike, and difference of shares that matters.
_SPIKE, _MUCH = 0.05, 0.03
# Below and above these quantiles of the model lies this share of the data; and share from which on it is told.
_TAIL, _BEYOND = 0.001, 0.01
# Share of the draws beyond all data that matters, and how many of n data may be beyond by chance.
_OUTSIDE, _BY_CHANCE = 0.02, 8.0
# Distance of distribution functions that matters, and times its bound; columns of which it is told at most.
_DISTANCE, _TIMES, _COLUMNS = 0.1, 2.0, 200


@dataclass(frozen=True)
class Misfit:
    """Something in the data that a model does not say.

    Attributes:
        text: in one line, such as "48.7 % of the values are exactly 0, and the model gives that no mass".
        size: of the misfit as a share of the values, by which misfits are ordered.
        column: of a table; empty for data as a whole.
    """

    text: str
    size: float
    column: str = ""

    def __str__(self) -> str:
        """Return the line with the name of the column."""
        return f"{self.column!r}: {self.text}" if self.column else self.text


def check_misfits(
    model: GenerativeModel,
    x: Tensor,
    columns: Sequence[ColumnLike] | None = None,
    seed: int = 0,
    *,
    c: Tensor | None = None,
) -> tuple[Misfit, ...]:
    """Return what held-out data have that a model does not say, the largest first; nothing for a right model.

    Args:
        model: the generative model, under the likelihood that it is judged by; no guide takes part.
        x: held-out data ``(N, *event)`` in data units, of which the first thousand at most are looked at.
        columns: of a table, each of which is looked at by itself; None for data as a whole.
        seed: of the draws.
        c: conditions of the data ``(N, C)``; None where the model has none.

    Raises:
        UsageError, MeasureMismatch: as :func:`check_predictive` does.
    """
    features = x[0].numel()
    first = slice(min(_DATA, max(50, _VALUES // 2 // features)))
    x, c = x[first], rows_of(c, first)
    draws = max(len(x), min(_PER_DATUM * len(x), _VALUES // features))
    return misfits(check_predictive(model, x, draws, seed, c=c), columns)


def misfits(check: Predictive, columns: Sequence[ColumnLike] | None = None) -> tuple[Misfit, ...]:
    r"""Return what observed data have that simulated data lack, or the other way round, the largest first.

    That is: a number at which they have another mass, which is none for a density; more values than 1 in 100 beyond the
    model's quantiles at 0.1 % and 99.9 %; draws beyond all data; and, of a column of which nothing of these is said,
    distribution functions that differ by more than 0.1 and twice as much as by chance. Shares count where they differ
    by four standard errors, which come from their spread over data.

    Args:
        check: of held-out data.
        columns: of a table; None for data as a whole.
    """
    if columns is None:
        found = list(_of(check.observed, check.simulated, check.pit, None))
        return tuple(sorted(found, key=lambda one: -one.size))
    found = []
    for d, column in enumerate(columns):
        part = slice(d, d + 1)
        found += _of(check.observed[:, part], check.simulated[:, part], check.pit[:, part], column)
    if len(columns) <= _COLUMNS:
        known = {one.column for one in found}
        found += [
            Misfit(f"the distribution functions of data and model differ by {fit.distance:.2f}", fit.distance, fit.name)
            for fit in column_fits(check, columns)
            if fit.n and fit.name not in known and fit.distance > max(_DISTANCE, _TIMES * fit.bound)
        ]
    return tuple(sorted(found, key=lambda one: -one.size))


def _of(observed: np.ndarray, simulated: np.ndarray, pit: np.ndarray, column: ColumnLike | None) -> Iterator[Misfit]:
    """Return the misfits of one column, or of data as a whole, each of shape ``(N, *event)``."""
    x, drawn, ranks = (values.reshape(len(values), -1) for values in (observed, simulated, pit))
    if np.isnan(x).all():
        return
    name = "" if column is None else column.name
    yield from _spikes(x, drawn, name, None if column is None else column.levels)
    if column is not None and not is_ordered(column):
        return
    if column is None or column.levels is None:
        yield from _tails(ranks, name)
        yield from _outside(x, drawn, name)


def _spikes(x: np.ndarray, drawn: np.ndarray, name: str, levels: Sequence[str] | None) -> Iterator[Misfit]:
    worst = None
    for value in np.union1d(_frequent(x), _frequent(drawn)).tolist():
        share, error = _share(x == value, ~np.isnan(x))
        expected, its_error = _share(drawn == value, np.ones(drawn.shape, bool))
        difference = abs(share - expected)
        if difference < max(_MUCH, _ERRORS * float(np.hypot(error, its_error))):
            continue
        if worst is None or difference > worst.size:
            worst = Misfit(_of_mass(value, share, expected, levels), difference, name)
    if worst is not None:
        yield worst


def _of_mass(value: float, share: float, expected: float, levels: Sequence[str] | None) -> str:
    what = f"exactly {value:g}" if levels is None else repr(levels[int(value)])
    said = "no mass" if expected == 0 else f"a mass of {100 * expected:.1f} %"
    there = "No value is" if share == 0 else f"{100 * share:.1f} % of the values are"
    return f"{there} {what}, and the model gives that {said}"


def _frequent(values: np.ndarray) -> np.ndarray:
    seen = values[~np.isnan(values)]
    distinct, counts = np.unique(seen, return_counts=True)
    return distinct[counts >= _SPIKE * len(seen)]


def _share(there: np.ndarray, seen: np.ndarray) -> tuple[float, float]:
    """Return the share of the values that are seen, and its standard error over data ``(N, features)``."""
    number = seen.sum()
    share = float(there.sum() / number)
    # Values of one datum depend on one another: the error is that of a ratio of sums over data.
    residuals = there.sum(1) - share * seen.sum(1)
    return share, float(np.sqrt(np.square(residuals).sum()) / number + 1.0 / len(there))


def _tails(ranks: np.ndarray, name: str) -> Iterator[Misfit]:
    with np.errstate(invalid="ignore"):
        share, error = _share((ranks < _TAIL) | (ranks > 1 - _TAIL), ~np.isnan(ranks))
    if share > max(_BEYOND, 2 * _TAIL + _ERRORS * error):
        text = (
            f"{100 * share:.1f} % of the values lie beyond the model's quantiles at {100 * _TAIL:g} % and "
            f"{100 * (1 - _TAIL):g} %, where {200 * _TAIL:g} % ought to"
        )
        yield Misfit(text, share, name)


def _outside(x: np.ndarray, drawn: np.ndarray, name: str) -> Iterator[Misfit]:
    low, high = float(np.nanmin(x)), float(np.nanmax(x))
    n = np.count_nonzero(~np.isnan(x).all(1))
    for share, side, end, which in (
        (float((drawn < low).mean()), "below", low, "least"),
        (float((drawn > high).mean()), "above", high, "greatest"),
    ):
        if share > max(_OUTSIDE, _BY_CHANCE / n):
            text = f"{100 * share:.1f} % of what the model draws is {side} {end:g}, the {which} of the values held out"
            yield Misfit(text, share, name)
