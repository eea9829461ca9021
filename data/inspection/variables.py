"""The variables of a dataset: columns of a table, and what shares a unit in an array."""

from collections.abc import Iterator

import numpy as np

from obsvae.data.dataset import Dataset
from obsvae.data.inspection.rules import Variable, variable_of
from obsvae.data.inspection.tally import tally_of


def variables_of(data: Dataset, x: np.ndarray) -> Iterator[Variable]:
    """Return the variables of a dataset whose values are numbers.

    Args:
        data: of which they are.
        x: its rows ``(N, features)``.
    """
    if data.columns is not None:
        for column, values in zip(data.columns, np.ascontiguousarray(x.T), strict=True):
            if column.levels is None:
                yield variable_of(column, tally_of(values))
        return
    has_density = data.grid is None
    if not data.unit_shape:
        yield Variable("", tally_of(x), False, has_density, not has_density, x.shape[1] == 1, True)
        return
    is_whole = has_density and bool((np.isnan(x) | (x == np.rint(x))).all())
    units = units_of(data)
    order = np.argsort(units, kind="stable")
    by_unit = np.split(np.ascontiguousarray(x.T[order]), np.flatnonzero(np.diff(units[order])) + 1)
    for unit, of in enumerate(by_unit):
        # On a grid images are often black or white, and counts often 0, which their masses say.
        yield Variable(name_of(data, unit), tally_of(of), False, has_density, not has_density, len(of) == 1, is_whole)


def units_of(data: Dataset) -> np.ndarray:
    """Return the number of the unit that each feature of an array has, ``(features,)``."""
    shape = data.unit_shape
    units = np.arange(int(np.prod(shape, dtype=np.int64))).reshape(shape)
    return np.broadcast_to(units, data.event_shape).ravel()


def name_of(data: Dataset, unit: int) -> str:
    """Return what to call a unit of an array: the name of its feature, where it has one."""
    if data.names is not None and len(data.event_shape) == 1:
        return data.names[unit]
    return f"{data.units if len(data.event_shape) > 1 else 'feature'} {unit}"
