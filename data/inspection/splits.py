"""What looks wrong in the rows of a dataset, and in their split."""

import math
from collections.abc import Iterator

import numpy as np

from obsvae.data.dataset import Dataset
from obsvae.data.inspection.held_out import beyond_training
from obsvae.data.inspection.rows import extremes, features_of
from obsvae.data.inspection.suspicion import Sign
from obsvae.data.inspection.tally import tally_of
from obsvae.data.splits import SPLITS

REPEATED = 0.01  # share of the rows that are repeated, from which on it is told
BY_CHANCE = 0.5  # share of the repetitions that independent features would have: from it on none is told
FEW_TO_TRAIN, FEW_TO_TEST = 100, 20
_MOST = 2000  # features whose agreement by chance is counted: more never agree


def of_splits(data: Dataset) -> list[Sign]:
    """Return what looks wrong in the rows of a dataset, and in their split."""
    x = {split: features_of(data, split) for split in SPLITS}
    return [*_repetitions(x), *beyond_training(data, x), *_constants(data, x), *_few_rows(data)]


def _repetitions(x: dict[str, np.ndarray]) -> Iterator[Sign]:
    """Return whether rows are repeated, within the data and across splits, more than chance would have it.

    Args:
        x: the rows of each split ``(N, features)``.
    """
    hashes = {split: _hashes(rows) for split, rows in x.items()}
    everything = np.concatenate([hashes[split] for split in SPLITS])
    N = len(everything)
    _, counts = np.unique(everything, return_counts=True)
    repeated = int(counts[counts > 1].sum())
    if repeated < max(2, REPEATED * N) or _repeated_by_chance(x, N) > BY_CHANCE * repeated:
        return
    held_out = {split: int(np.isin(hashes[split], hashes["train"]).sum()) for split in ("validation", "test")}
    also = " and ".join(f"{n} of {len(hashes[split])} {split} rows" for split, n in held_out.items() if n)
    text = f"{repeated} of {N} rows are repeated"
    if also:
        text += f"; {also} stand in training, too, and test nothing: keep one of each"
    yield Sign("repeated rows", "", text)


def _few_rows(data: Dataset) -> Iterator[Sign]:
    """Return whether there are few rows to train or to test on."""
    train, test = len(data.train), len(data.test)
    if train < FEW_TO_TRAIN:
        yield Sign("few rows", "", f"only {train} rows to train on: the simplest models may be the best")
    if test < FEW_TO_TEST:
        yield Sign("few rows", "", f"only {test} rows to test on: differences between models will hardly be told")


def _constants(data: Dataset, x: dict[str, np.ndarray]) -> Iterator[Sign]:
    """Return which features are constant in training, where a density would be ranked on them.

    Args:
        data: of which they are.
        x: the rows of each split ``(N, features)``.
    """
    low, high = extremes(x["train"])
    constant = np.flatnonzero(low == high)
    if data.columns is not None:
        for d in constant.tolist():
            yield Sign("constant", data.columns[d].name, f"{low[d]:g} in all rows to train on: leave it out")
    elif len(constant) and data.grid is None:
        text = (
            f"{len(constant)} of {len(low)} features are constant in the rows to train on, where a density has no "
            "bound, and its floor decides: leave them out, or load whole numbers, whose masses are at most 1"
        )
        yield Sign("constant", "", text)


def _hashes(rows: np.ndarray) -> np.ndarray:
    plain = np.ascontiguousarray(rows) + 0.0  # −0 is 0
    return np.fromiter((hash(row.tobytes()) for row in plain), np.int64, len(rows))


def _repeated_by_chance(x: dict[str, np.ndarray], N: int) -> float:
    """Return how many rows would be repeated if features were independent."""
    features = x["train"].shape[1]
    if features > _MOST:
        return 0.0
    agree = 0.0  # log-probability that two rows do
    for d in range(features):
        shares = tally_of(x["train"][:, d])[1] / len(x["train"])
        agree += math.log(max(float(shares @ shares), 1e-12))
    return N * -math.expm1(-(N - 1) * math.exp(agree))
