"""Looking at data: what the values of each variable are like."""

import math

import numpy as np

from obsvae.data.columns import Column, Kind
from obsvae.data.dataset import Dataset
from obsvae.data.inspection.lattice import heaping, lattice_of
from obsvae.data.inspection.look import Look
from obsvae.data.inspection.rows import extremes, rows_of, spreads
from obsvae.data.inspection.tally import Tally, tally_of


def look_at(data: Dataset) -> tuple[Look, ...]:
    """Return what the values of a dataset are like, over all splits: of each column of a table, or of an array whole.

    Entries that are missing (NaN) are left out. Everything is exact: no sample stands for the values.

    Args:
        data: in data units.
    """
    x = rows_of(data)
    if data.columns is None:
        return (_look("", tally_of(x), x.size, x.shape[1], None, _scales(x)),)
    by_column = np.ascontiguousarray(x.T)
    return tuple(
        _look(column.name, tally_of(values), len(values), 1, column, 1.0)
        for column, values in zip(data.columns, by_column, strict=True)
    )


def _look(name: str, numbers: Tally, entries: int, features: int, column: Column | None, scales: float) -> Look:
    values, _ = numbers
    present = numbers.total
    lattice = lattice_of(values)
    phase, step = lattice or (None, None)
    low, high = (float(values[0]), float(values[-1])) if present else (math.nan, math.nan)
    is_whole = bool((values == np.rint(values)).all()) and present > 0
    variance = numbers.moment(2)
    has_levels = column is not None and column.levels is not None
    return Look(
        name=name,
        features=features,
        present=present,
        missing=entries - present,
        distinct=len(values),
        low=low,
        high=high,
        is_whole=is_whole,
        step=step,
        phase=phase,
        share_zero=numbers.share_of(0.0),
        share_one=numbers.share_of(1.0),
        share_low=numbers.share_of(low),
        share_high=numbers.share_of(high),
        mean=numbers.mean,
        variance=variance,
        skew=numbers.moment(3) / variance**1.5 if variance > 0 else 0.0,
        tail=_tail(numbers),
        dispersion=variance / numbers.mean if is_whole and low >= 0 and numbers.mean > 0 else None,
        heaped=None if lattice is None or has_levels else heaping(numbers, lattice[1], lattice[0]),
        period=_period(column),
        levels=len(column.levels) if column is not None and column.levels is not None else None,
        scales=scales,
    )


def _tail(numbers: Tally) -> float:
    if not numbers.total:
        return math.nan
    half = numbers.quantile(0.75) - numbers.quantile(0.25)
    return (numbers.quantile(0.975) - numbers.quantile(0.025)) / half if half > 0 else math.inf


def _period(column: Column | None) -> float | None:
    """Return one turn of a column of angles, which is what lies between its bounds."""
    if column is None or column.kind is not Kind.ANGLE or column.bounds is None:
        return None
    return column.bounds[1] - column.bounds[0]


def _scales(x: np.ndarray) -> float:
    low, high = extremes(x)
    spread = spreads(x)[high > low]
    return float(spread.max() / spread.min()) if len(spread) else 1.0
