"""Data as they are stored, and their split into training, validation and test."""

import hashlib
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from data.checks import check_bounds
from data.dataset import Dataset, Grid

SPLIT_SEED = 20_130_613  # never changes: runs with any seed see the same test set


@dataclass(frozen=True, eq=False)
class Stored:
    """Checked data before they are split.

    Args:
        x: (N, *event), as `checked` returns it.
        validation: how many rows to validate on, drawn at random.
        test: how many rows to test on.
        test_is_last: the last rows are the official test set; otherwise it is drawn at random too.
        labels: integers (N,), or None.
        bounds: declared (low, high), or None.
        grid: the lattice of x, or None.

    """

    x: np.ndarray
    validation: int
    test: int
    test_is_last: bool = False
    labels: np.ndarray | None = None
    bounds: tuple[float, float] | None = None
    grid: Grid | None = None

    def within(self, bounds: tuple[float, float], name: str) -> Self:
        """Return the same data with other bounds; a grid that these lie on is extended or cut to them."""
        low, high = check_bounds(self.x, bounds, name)
        grid = self.grid
        if grid is not None:
            first, last = (low - grid.low) / grid.step, (high - grid.low) / grid.step
            if first.is_integer() and last.is_integer():
                grid = Grid(low, grid.step, int(last - first) + 1)
        return replace(self, bounds=(low, high), grid=grid)

    def dataset(self, name: str) -> Dataset:
        """Return the data in float32, split."""
        rows = self._rows()
        tensors = {split: _tensor(self.x, of) for split, of in rows.items()}
        empty = torch.empty(0, dtype=torch.int64)
        labels = {
            split: empty if self.labels is None else torch.from_numpy(self.labels[of].astype(np.int64))
            for split, of in rows.items()
        }
        return Dataset(
            name=name,
            train=tensors["train"],
            validation=tensors["validation"],
            test=tensors["test"],
            labels=labels,
            rows={split: torch.from_numpy(of) for split, of in rows.items()},
            sha256=hashlib.sha256(f"{self.x.dtype} {self.x.shape}".encode() + self.x.tobytes()).hexdigest(),
            bounds=self.bounds,
            grid=self.grid,
        )

    def _rows(self) -> dict[str, np.ndarray]:
        N = len(self.x)
        shuffled = N - self.test if self.test_is_last else N
        # The raw bits of PCG64 are the one stream that NumPy promises never to change.
        order = np.argsort(np.random.PCG64(SPLIT_SEED).random_raw(shuffled), kind="stable")
        validation, rest = order[: self.validation], order[self.validation :]
        test = np.arange(shuffled, N) if self.test_is_last else rest[: self.test]
        return {"train": rest if self.test_is_last else rest[self.test :], "validation": validation, "test": test}


def _tensor(x: np.ndarray, rows: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(x[rows], dtype=np.float32))
