"""Groups of an ArviZ tree, of arrays that are computed elsewhere."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

# Dimensions and values.
Variable = tuple[tuple[str, ...], np.ndarray]
CHAINS = 2
# The dimension of a table's columns; those of an image have numbers.
COLUMN = "column"


def group(
    variables: Mapping[str, Variable], columns: Sequence[str] = (), attributes: Mapping[str, object] | None = None
) -> "xr.Dataset":
    """Return a dataset whose draws come in chains of equal length.

    Args:
        variables: dimensions and values, by name.
        columns: names of a table's columns, the coordinates of a dimension ``column``; others are numbered from 0.
        attributes: of the group.
    """
    import xarray as xr  # takes half a second to load

    variables = {
        name: (dims, in_chains(values) if "chain" in dims else values) for name, (dims, values) in variables.items()
    }
    sizes = {d: n for dims, values in variables.values() for d, n in zip(dims, values.shape, strict=True)}
    coordinates = {d: np.array(columns) if columns and d == COLUMN else np.arange(n) for d, n in sizes.items()}
    return xr.Dataset(variables, coordinates, attributes)


def in_chains(values: np.ndarray) -> np.ndarray:
    """Return S draws ``(S, ...)`` in two chains, ``(2, S / 2, ...)``."""
    return values.reshape(CHAINS, -1, *values.shape[1:])


def distinct(z: np.ndarray) -> np.ndarray:
    """Return how many different particles are among the draws z ``(S, N, D)`` of each datum, ``(N,)``."""
    found = [np.unique(of_datum[np.isfinite(of_datum).all(-1)], axis=0) for of_datum in z.swapaxes(0, 1)]
    return np.array([len(particles) for particles in found])


def as_integers(*arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return arrays as integers where all of them hold nothing else: some of ArviZ asks so of counts."""
    for dtype in (np.int32, np.int64):
        limit = float(np.iinfo(dtype).max)
        if all((np.abs(a) < limit).all() and (a == np.round(a)).all() for a in arrays):
            return tuple(a.astype(dtype) for a in arrays)
    return arrays
