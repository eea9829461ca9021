"""Values held out that training gives no reason to expect."""

import math
from collections.abc import Iterator

import numpy as np

from obsvae.data.dataset import Dataset
from obsvae.data.inspection.rows import extremes
from obsvae.data.inspection.suspicion import Sign
from obsvae.data.inspection.variables import name_of, units_of

FAR = 1.0  # of the range of training, beyond it
RARE = 1e-3  # values as far, expected by the tail of training, below which it is told


def beyond_training(data: Dataset, x: dict[str, np.ndarray]) -> Iterator[Sign]:
    """Return which variables have values in validation or test that training gives no reason to expect.

    Args:
        data: of which they are.
        x: the rows of each split ``(N, features)``.
    """
    held_out = np.concatenate([x["validation"], x["test"]])
    if not len(held_out):
        return
    if data.columns is not None:
        for d, column in enumerate(data.columns):
            if column.levels is not None:
                yield from _unseen(column.name, column.levels, x["train"][:, d], held_out[:, d])
    (low, high), (least, greatest) = _ends(data, x["train"]), _ends(data, held_out)
    beyond = np.fmax(greatest - high, low - least)
    for unit in np.flatnonzero((beyond > FAR * (high - low)) & (high > low)).tolist():
        if data.columns is not None and data.columns[unit].levels is not None:
            continue
        far = greatest[unit] if greatest[unit] - high[unit] >= low[unit] - least[unit] else least[unit]
        if _expected_as_far(_of_unit(data, x["train"], unit), float(far), len(held_out)) > RARE:
            continue
        text = (
            f"{far:g} among the rows held out lies far beyond those to train on, {low[unit]:g} … {high[unit]:g}: is it "
            "right, and are the splits alike?"
        )
        yield Sign("beyond training", _name(data, unit), text, float(beyond[unit] / (high[unit] - low[unit])))


def _expected_as_far(train: np.ndarray, far: float, rows: int) -> float:
    """Return how many of these rows are expected to have a value as far as this one, by the tail of those to train on.

    The tail is that of a Pareto beyond the tenth part of the values on that side of the median that are farthest from
    it, with Hill's estimate of its index.

    Reference: Hill, *A simple general approach to inference about the tail of a distribution*, Annals of Statistics
    1975.
    """
    centre = float(np.median(train))
    distances = np.sort((train - centre) * math.copysign(1.0, far - centre))[::-1]
    top = distances[: max(2, np.count_nonzero(distances > 0) // 10)]
    if top[-1] <= 0:
        return 0.0
    index = max(float(np.log(top[:-1] / top[-1]).mean()), 1e-3)
    return rows * len(top) / len(train) * (abs(far - centre) / float(top[-1])) ** (-1.0 / index)


def _unseen(name: str, levels: tuple[str, ...], train: np.ndarray, held_out: np.ndarray) -> Iterator[Sign]:
    seen = held_out[~np.isnan(held_out)]
    unseen = seen[~np.isin(seen, train)]
    if len(unseen):
        text = (
            f"{levels[int(unseen[0])]!r} is among the rows held out, and not among those to train on "
            f"({len(unseen)} held-out {'row has' if len(unseen) == 1 else 'rows have'} such levels): merge rare levels"
        )
        yield Sign("unseen levels", name, text, float(len(unseen)))


def _ends(data: Dataset, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the greatest value of each column of a table, or of each unit of an array."""
    low, high = extremes(x)
    if data.columns is not None:
        return low, high
    units = units_of(data)
    if units.max() + 1 == len(low):
        return low, high
    of = [units == unit for unit in range(units.max() + 1)]
    return np.array([np.fmin.reduce(low[one]) for one in of]), np.array([np.fmax.reduce(high[one]) for one in of])


def _of_unit(data: Dataset, x: np.ndarray, unit: int) -> np.ndarray:
    """Return the values of a column or a unit that are not missing."""
    of = x[:, unit] if data.columns is not None else x[:, units_of(data) == unit].ravel()
    return of[~np.isnan(of)]


def _name(data: Dataset, unit: int) -> str:
    if data.columns is not None:
        return data.columns[unit].name
    return name_of(data, unit) if data.unit_shape else ""
