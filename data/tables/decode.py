"""Numbers as tables again: codes become levels, NaN missing values."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from obsvae.data.columns import Column
from obsvae.errors import UsageError


def decoded(x: np.ndarray, columns: Sequence[Column]) -> dict[str, np.ndarray]:
    """Return the columns of a table by name, in the words of the user.

    Levels are objects, each a text or None. Numbers are float64 with NaN where they are missing, each the shortest
    decimal that float32 tells from its neighbours; but int64 where they are whole, and objects, each an int or None,
    where some of these are missing.

    Args:
        x: (N, D), in data units; what lies off a grid of whole numbers stays as it is.
        columns: of x.

    Raises UsageError for another number of columns, and for codes that are no levels.
    """
    values = np.asarray(x)
    if values.ndim != 2 or values.shape[1] != len(columns):
        raise UsageError(f"a table of {len(columns)} columns needs shape (rows, {len(columns)}); got {values.shape}")
    return {column.name: _column(values[:, i], column) for i, column in enumerate(columns)}


def _column(values: np.ndarray, column: Column) -> np.ndarray:
    missing = np.isnan(values)
    if column.levels is not None:
        return _levels(values, missing, column.name, column.levels)
    numbers = shortest(values)
    present = numbers[~missing]
    if not column.is_whole or not (np.abs(present) < 2**53).all() or (present != np.rint(present)).any():
        return numbers
    if not missing.any():
        return numbers.astype(np.int64)
    return _objects([None if absent else int(number) for number, absent in zip(numbers, missing, strict=True)])


def shortest(values: np.ndarray) -> np.ndarray:
    """Return float32 as the float64 that are written as its shortest decimals: 0.1, where it is 0.10000000149."""
    return np.asarray(values, dtype=np.float32).astype(str).astype(np.float64)


def _levels(values: np.ndarray, missing: np.ndarray, name: str, levels: tuple[str, ...]) -> np.ndarray:
    codes = np.where(missing, 0, values)
    wrong = (codes != np.rint(codes)) | (codes < 0) | (codes >= len(levels))
    if wrong.any():
        raise UsageError(
            f"column {name!r} needs codes 0 to {len(levels) - 1} of its levels; row {int(wrong.argmax())} (counted "
            f"from 0) has {codes[wrong][0]:g}: round it"
        )
    texts = _objects(levels)[codes.astype(np.int64)]
    texts[missing] = None
    return texts


def _objects(values: Sequence[Any]) -> np.ndarray:
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made
