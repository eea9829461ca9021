"""The conditions of some rows of a dataset."""

import torch
from torch import Tensor

from obsvae.data import Dataset


def given(
    data: Dataset, split: str, rows: slice = slice(None), device: torch.device | str | None = None
) -> Tensor | None:
    """Return conditions c ``(n, C)`` of rows of a split; None where there are none.

    Args:
        data: the dataset.
        split: train, validation or test.
        rows: which.
        device: where they are wanted; by default where the data are.
    """
    c = data.given.get(split)
    if c is None:
        return None
    return c[rows] if device is None else c[rows].to(device)
