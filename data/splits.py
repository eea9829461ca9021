"""Which rows are for training, for validation and for testing."""

from collections.abc import Iterable, Mapping

import numpy as np

from obsvae.data.memory import Values, vector
from obsvae.errors import UsageError

SPLITS = ("train", "validation", "test")
SPLIT_SEED = 20_130_613  # never changes: runs with any seed see the same test set


def drawn(N: int, validation: int, test: int) -> dict[str, np.ndarray]:
    """Return a random split of N rows, the same in every run.

    Args:
        N: number of rows.
        validation: number of rows to validate on.
        test: number of rows to test on.

    """
    order = _shuffled(N)
    return {
        "train": order[validation + test :],
        "validation": order[:validation],
        "test": order[validation : validation + test],
    }


def official(N: int, validation: int, test: int) -> dict[str, np.ndarray]:
    """Return a split of N rows whose last rows are the official test set; validation rows are drawn from the others.

    Args:
        N: number of rows.
        validation: number of rows to validate on.
        test: number of rows in the official test set.

    """
    order = _shuffled(N - test)
    return {"train": order[validation:], "validation": order[:validation], "test": np.arange(N - test, N)}


def given(splits: Mapping[str, Values], N: int) -> dict[str, np.ndarray]:
    """Return the caller's split of N rows as row numbers, int64, in the order given.

    Args:
        splits: "train", "validation" and "test" to row numbers, counted from 0, or to boolean masks (N,). Rows may be
            left out.
        N: number of rows.

    Raises UsageError for other names, an empty split, rows out of range, and a row that is named twice.
    """
    if not isinstance(splits, Mapping):
        raise UsageError(f"splits need a mapping of {_listed(SPLITS)} to rows; got {type(splits).__name__}")
    if set(splits) != set(SPLITS):
        raise UsageError(f"splits need exactly the names {_listed(SPLITS)}; got {_listed(splits) or 'none'}")
    rows = {split: _rows(splits[split], f"split {split!r}", N) for split in SPLITS}
    named = np.stack([np.bincount(numbers, minlength=N) for numbers in rows.values()])  # (3, N)
    repeated = np.flatnonzero(named.sum(0) > 1)
    if repeated.size:
        row = int(repeated[0])
        where = [split for split, times in zip(SPLITS, named[:, row].tolist(), strict=True) for _ in range(times)]
        raise UsageError(
            f"splits need each row at most once; got {repeated.size} repeated, the first is row {row} in "
            f"{' and '.join(map(repr, where))}: keep each row in one split"
        )
    return rows


def _rows(values: Values, name: str, N: int) -> np.ndarray:
    rows = vector(values, name)
    if rows.dtype == np.bool_:
        if rows.shape != (N,):
            raise UsageError(f"{name}: needs a mask of shape ({N},), one entry for each row; got shape {rows.shape}")
        rows = np.flatnonzero(rows)
    if rows.size == 0:
        raise UsageError(f"{name}: needs at least one row; it is empty: give it rows from another split")
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise UsageError(
            f"{name}: needs a one-dimensional array of row numbers, or a boolean mask; got {type(values).__name__} "
            f"(dtype {rows.dtype}, shape {rows.shape}): a slice is np.arange(N)[slice]"
        )
    wrong = (rows < 0) | (rows >= N)
    if wrong.any():
        raise UsageError(
            f"{name}: needs row numbers from 0 to {N - 1}; {wrong.sum()} lie outside, the first is {rows[wrong][0]}: "
            "count rows from 0"
        )
    return rows.astype(np.int64)  # a copy, which the caller cannot change


def _shuffled(N: int) -> np.ndarray:
    # The raw bits of PCG64 are the one stream that NumPy promises never to change.
    return np.argsort(np.random.PCG64(SPLIT_SEED).random_raw(N), kind="stable")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)
