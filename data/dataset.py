"""A dataset in data units."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from obsvae.data.columns import Column
from obsvae.data.conditions import Condition
from obsvae.data.grid import Grid
from obsvae.data.scaling import Scaling
from obsvae.data.splits import SPLITS
from obsvae.errors import UsageError
from obsvae.names import lookup
from obsvae.units import unit_shape_of


class Noise(Protocol):
    """Fresh randomness in the training data: called with a generator, it returns one epoch's draw."""

    def __call__(self, generator: torch.Generator) -> Tensor:
        """Return a draw of the training data, (N, *event)."""

    def to(self, device: torch.device | str) -> Noise:
        """Return the same noise with its tensors on the device."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training, validation and test data in data units.

    Args:
        name: the known name or the path that was loaded, or "array" for data from memory.
        train: (N, *event), float32; 0 … 255 stays 0 … 255. With noise, one seeded draw.
        validation: (N, *event), for choosing when to stop.
        test: (N, *event), for the results.
        labels: split name -> int64 (N,), empty where there are none.
        rows: split name -> int64 (N,), the row number of each datum in the source, counted from 0; stays on the CPU.
        sha256: checksum of all rows as they are stored, before any draw and split; other data have another one.
        bounds: the declared (low, high) of the data, or None.
        grid: the lattice that all three splits lie on, or None.
        scaling: the affine map that the user chose; not applied to the tensors.
        noise: draws the training data afresh, or None.
        names: of the features of vectors, or None.
        columns: of a table, which have bounds and a grid each; None for other data.
        schema: of a table, complete, as plain values: by it other rows are read; None for other data.
        row_names: of all rows of the source, such as the index of a data frame; None where rows have numbers alone.
        label_names: the texts of the labels 0, 1, …, or None.
        has_missing: whether entries may be missing, which are NaN.
        units: which entries of a datum have a unit of their own: "column", "channel" or "all".
        conditions: what the model is given beside x, in the order in which it is encoded; empty where there is nothing.
        given: split name -> c, (N, C) in float32, what networks see of the conditions; no splits where there are none.
        recipe: plain arguments, which may be saved as JSON, with which `load` gives the same dataset again; None for
            data from memory.

    """

    name: str
    train: Tensor
    validation: Tensor
    test: Tensor
    labels: Mapping[str, Tensor]
    rows: Mapping[str, Tensor]
    sha256: str
    bounds: tuple[float, float] | None = None
    grid: Grid | None = None
    scaling: Scaling = field(default_factory=Scaling.identity)
    noise: Noise | None = None
    names: tuple[str, ...] | None = None
    columns: tuple[Column, ...] | None = None
    schema: Mapping[str, Any] | None = None
    row_names: tuple[str, ...] | None = None
    label_names: tuple[str, ...] | None = None
    has_missing: bool = False
    units: str = "all"
    conditions: tuple[Condition, ...] = ()
    given: Mapping[str, Tensor] = field(default_factory=dict)
    recipe: Mapping[str, Any] | None = None

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one datum."""
        return tuple(self.train.shape[1:])

    @property
    def unit_shape(self) -> tuple[int, ...]:
        """The shape of statistics, with 1 for axes whose entries share a unit; it broadcasts to that of a datum."""
        return unit_shape_of(self.event_shape, self.units)

    @property
    def grids(self) -> Grid | tuple[Grid | None, ...] | None:
        """The grid that all features lie on, or those of a table's columns, or None."""
        return self.grid if self.columns is None else tuple(column.grid for column in self.columns)

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of the data as they are used: prepared, split, and with noise in training or without.

        Two datasets of one source differ by it where they were split or prepared otherwise.
        """
        digest = hashlib.sha256(f"{self.sha256} {self.noise is None}".encode())
        for split in SPLITS:
            digest.update(self.rows[split].numpy().tobytes())
            digest.update(np.ascontiguousarray(self.split(split).cpu().numpy()))
            if self.given:
                digest.update(np.ascontiguousarray(self.given[split].cpu().numpy()))
        return digest.hexdigest()

    def split(self, name: str) -> Tensor:
        """Return the tensor of one split; raise UsageError for a name other than train, validation and test."""
        return lookup("split", name, {"train": self.train, "validation": self.validation, "test": self.test})

    def epoch(self, generator: torch.Generator) -> Tensor:
        """Return the training data for one epoch, (N, *event).

        Without noise that is `train` itself, and the generator is not advanced. With noise it is a fresh draw, the
        same for the same generator state. Raises UsageError for a generator on another device than the data.
        """
        if self.noise is None:
            return self.train
        if generator.device.type != self.train.device.type:
            raise UsageError(
                f"drawing an epoch needs a generator where the data are, on {self.train.device}; got one on "
                f"{generator.device}: make it with torch.Generator({str(self.train.device)!r})"
            )
        return self.noise(generator)

    def to(self, device: torch.device | str) -> Dataset:
        """Return the same dataset with all its tensors on the device."""
        return replace(
            self,
            train=self.train.to(device),
            validation=self.validation.to(device),
            test=self.test.to(device),
            labels={split: label.to(device) for split, label in self.labels.items()},
            scaling=self.scaling.to(device),
            given={split: c.to(device) for split, c in self.given.items()},
            noise=None if self.noise is None else self.noise.to(device),
        )
