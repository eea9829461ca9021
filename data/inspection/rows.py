"""All rows of a dataset, and what each of their features is like."""

import numpy as np

from obsvae.data.dataset import Dataset
from obsvae.data.splits import SPLITS
from obsvae.errors import UsageError

_CHUNK = 2**24  # values that are held in double precision at once


def rows_of(data: Dataset) -> np.ndarray:
    """Return the rows of all splits in float32, ``(N, features)``; NaN where an entry is missing.

    Raises:
        UsageError: for anything but a dataset.
    """
    if not isinstance(data, Dataset):
        raise UsageError(f"a dataset, load(x), is needed, but got {type(data).__name__}")
    return np.concatenate([features_of(data, split) for split in SPLITS])


def features_of(data: Dataset, split: str) -> np.ndarray:
    """Return the rows of a split in float32, ``(N, features)``."""
    return data.split(split).flatten(1).cpu().numpy()


def extremes(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the greatest value of each feature of x ``(N, features)``; NaN where all are missing."""
    return np.fmin.reduce(x, 0), np.fmax.reduce(x, 0)


def spreads(x: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each feature of x ``(N, features)``, in float64; 0 where all are missing."""
    number = np.maximum(np.count_nonzero(~np.isnan(x), 0), 1)
    mean = np.nansum(x, 0, dtype=np.float64) / number
    squares = np.zeros(x.shape[1])
    step = max(1, _CHUNK // x.shape[1])
    for start in range(0, len(x), step):
        squares += np.nansum(np.square(x[start : start + step] - mean), 0)
    return np.sqrt(squares / number)
