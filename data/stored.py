"""Data as they are stored, and the dataset made of them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from obsvae.data.checks import check_bounds, check_grid
from obsvae.data.columns import Column
from obsvae.data.conditions import Condition, ConditionValues, encoded
from obsvae.data.dataset import Dataset
from obsvae.data.grid import Grid
from obsvae.errors import UsageError
from obsvae.units import usual_units


@dataclass(frozen=True, eq=False)
class Stored:
    """All rows of checked data, and the split to make of them.

    Args:
        x: (N, *event), as `checked` returns it.
        rows: "train", "validation" and "test" to row numbers, int64, as in `splits`.
        labels: integers (N,), or None.
        bounds: declared (low, high), or None.
        grid: the lattice of x, or None.
        names: of the features of vectors, or None.
        columns: of a table, or None for other data.
        row_names: of all rows, or None where they have numbers alone.
        label_names: the texts of the labels 0, 1, …, or None.
        has_missing: whether entries may be missing, which are NaN.
        conditions: what the model is given beside x, an offset last.

    """

    x: np.ndarray
    rows: Mapping[str, np.ndarray]
    labels: np.ndarray | None = None
    bounds: tuple[float, float] | None = None
    grid: Grid | None = None
    names: tuple[str, ...] | None = None
    columns: tuple[Column, ...] | None = None
    row_names: tuple[str, ...] | None = None
    label_names: tuple[str, ...] | None = None
    has_missing: bool = False
    conditions: tuple[ConditionValues, ...] = ()

    def on_grid(self, grid: Sequence[float], name: str) -> Self:
        """Return the same data on another grid, (low, step, levels) or (low, step).

        One with levels sets the bounds, where the data have any; one without runs between these, where both lie on it.
        """
        made = check_grid(self.x, grid, name, self.names)
        if self.bounds is None:
            return replace(self, grid=made)
        if made.high is None:
            return replace(self, grid=made.between(self.bounds))
        return replace(self, grid=made, bounds=(made.low, made.high))

    def within(self, bounds: Sequence[float], name: str) -> Self:
        """Return the same data with other bounds; where both lie on the grid, it then runs from one to the other."""
        low, high = check_bounds(self.x, bounds, name, self.names)
        return replace(self, bounds=(low, high), grid=None if self.grid is None else self.grid.between((low, high)))

    def on_labels(self, name: str) -> Self:
        """Return the same data with their labels as a condition, which is called "label"."""
        if self.labels is None:
            raise UsageError(f"{name} has no labels, which could be a condition: leave conditions out, or pass labels")
        numbers, codes = np.unique(self.labels, return_inverse=True)
        texts = [self.label_names[n] if self.label_names else str(n) for n in numbers.tolist()]
        return replace(self, conditions=(ConditionValues("label", codes, tuple(texts)),))

    def dataset(self, name: str) -> Dataset:
        """Return the data in float32, split; raise UsageError for a condition that training rows do not explain."""
        tensors = {split: _tensor(self.x, of) for split, of in self.rows.items()}
        event = self.x.shape[1:]
        # Real numbers of unknown range that make no square are more often windows (time, sensor) than images.
        is_image = self.bounds is not None or self.grid is not None or len(set(event[:2])) == 1
        empty = torch.empty(0, dtype=torch.int64)
        labels = {
            split: empty if self.labels is None else torch.from_numpy(self.labels[of].astype(np.int64))
            for split, of in self.rows.items()
        }
        conditions = tuple(Condition.of(one, self.rows["train"]) for one in self.conditions)
        given: dict[str, Tensor] = {}
        if conditions:
            c = encoded(conditions, {one.name: one for one in self.conditions}, repr(name))
            given = {split: _tensor(c, of) for split, of in self.rows.items()}
        return Dataset(
            name=name,
            train=tensors["train"],
            validation=tensors["validation"],
            test=tensors["test"],
            labels=labels,
            rows={split: torch.from_numpy(of) for split, of in self.rows.items()},
            sha256=hashlib.sha256(f"{self.x.dtype} {self.x.shape}".encode() + self.x.tobytes()).hexdigest(),
            bounds=self.bounds,
            grid=self.grid,
            names=self.names,
            columns=self.columns,
            row_names=self.row_names,
            label_names=self.label_names,
            has_missing=self.has_missing,
            units=usual_units(event, is_image),
            conditions=conditions,
            given=given,
        )


def _tensor(x: np.ndarray, rows: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(x[rows], dtype=np.float32))
