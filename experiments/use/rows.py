"""The rows that a run is put to use on."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from obsvae.data import Column
from obsvae.data.arrays import array_of
from obsvae.data.conditions import Condition, ConditionValues, constant, encoded
from obsvae.data.images.read import from_folder
from obsvae.data.memory import as_numpy
from obsvae.data.tables.encode import encode_rows
from obsvae.data.tables.given import new_conditions
from obsvae.data.tables.load import is_table
from obsvae.data.tables.raw import RawTable
from obsvae.data.tables.read import read_table
from obsvae.data.tables.schemas.schema import schema_from
from obsvae.errors import UsageError
from obsvae.experiments.doors import require_kind
from obsvae.experiments.runs.run import Observed, Run
from obsvae.inference.modes import device_of
from obsvae.model import VAE, on_grid

# Preparations of a run's data that new data would have to go through.
_PREPARED = ("binarise", "dequantise", "warp", "channels")


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows as a run's model takes them, with what they are called.

    Attributes:
        source: what to call them in messages.
        x: ``(N, *event)`` on the model's device; NaN where an entry is missing.
        names: of the rows in their source, or None where they have numbers alone.
        table: as it was read, with columns that the model does not observe; None for arrays.
        ignored: columns of the table that the run knows nothing of.
        c: conditions ``(N, C)`` as the model sees them; None where it has none.
    """

    source: str
    x: Tensor
    names: tuple[str, ...] | None = None
    table: RawTable | None = None
    ignored: tuple[str, ...] = ()
    c: Tensor | None = None

    def identity(self) -> dict[str, Any]:
        """Return by what results are joined to the source: the number of each row, from 0, and its name if it has one.

        The titles are ``row`` and ``name``.
        """
        numbers = {"row": np.arange(len(self.x))}
        return numbers if self.names is None else {**numbers, "name": list(self.names)}


def rows_for(run: Run, source: Any, *, layer: str | None = None, given: Mapping[str, Any] | None = None) -> Rows:
    """Return new rows for a run, checked against what it was trained on.

    Args:
        run: the run.
        source: for a run on a table the path of a file of one, or a data frame; its columns may stand in another order.
            For a run on an array a path to .npy or .npz or of a folder of images, an array or a tensor ``(N, *event)``.
        layer: which layer of an .h5ad file.
        given: values of conditions by name, the same for all rows: those that the rows themselves do not tell.

    Raises:
        UsageError: for rows that the run's schema does not know, of another shape, outside the support of the
            observation, or whose conditions are missing or unknown.
    """
    require_kind(run, Run, "load_run(folder)")
    fixed = dict(given or {})
    rows = _of_array(run, source, fixed) if run.config["schema"] is None else _of_table(run, source, layer, fixed)
    try:
        run.model.check(rows.x, c=rows.c)
    except UsageError as error:
        raise UsageError(f"{rows.source}: {error}") from None
    return rows


def columns_of(run: Run) -> tuple[Column, ...]:
    """Return the columns of a run on a table.

    Raises:
        UsageError: for a run on arrays, which have none.
    """
    columns = run.config["observed"]["columns"]
    if columns is None:
        raise UsageError(f"{run.folder} was trained on an array, which has no columns; this needs a run on a table")
    return tuple(Column.from_json(column) for column in columns)


def on_the_grid(run: Run) -> VAE:
    """Return a run's model by the masses of its grid's cells: what it draws then lies on the grid."""
    observed = Observed.from_json(run.config["observed"])
    if run.model.observation.corrections():
        return run.model
    scored = on_grid(run.model.observation, observed.grids)
    return run.model if scored is run.model.observation else run.model.with_observation(scored)


def constant_conditions(run: Run, given: Mapping[str, Any], n: int) -> Tensor | None:
    """Return conditions ``(n, C)`` that are the same for n rows, as a run's model sees them; None where it has none.

    Args:
        run: the run.
        given: a value of each condition, by name.
        n: how many rows.

    Raises:
        UsageError: for another name, a level or a number that the model does not take, and a condition without a value.
    """
    conditions = conditions_of(run)
    return _encoded(run, constant(conditions, given, n), f"the values given to {run.folder}")


def conditions_of(run: Run) -> tuple[Condition, ...]:
    """Return what a run's model is given beside x."""
    return Observed.from_json(run.config["observed"]).conditions


def _encoded(run: Run, values: Mapping[str, ConditionValues], source: str) -> Tensor | None:
    conditions = conditions_of(run)
    if lacking := [one for one in conditions if one.name not in values]:
        such = lacking[0].levels[0] if lacking[0].levels else "1"
        raise UsageError(
            f"{run.folder} was trained with the condition {lacking[0].name!r}, which {source} lack; give a value to "
            f"all rows, such as given={{{lacking[0].name!r}: {such!r}}}"
        )
    if not conditions:
        return None
    return torch.from_numpy(encoded(conditions, values, source)).to(device_of(run.model))


def _of_table(run: Run, source: Any, layer: str | None, given: Mapping[str, Any]) -> Rows:
    if isinstance(source, Mapping) or not is_table(source):
        got = repr(os.fsdecode(source)) if isinstance(source, str | os.PathLike) else type(source).__name__
        raise UsageError(
            f"{run.folder} was trained on a table: its rows come from .csv, .tsv, .parquet or .h5ad files, or data "
            f"frames, but got {got}"
        )
    table = read_table(source, layer=layer)
    schema, conditions = schema_from(run.config["schema"], f"the schema of {run.folder}"), conditions_of(run)
    found = encode_rows(table, schema)
    x = torch.from_numpy(found.x).to(device_of(run.model))
    c = _encoded(run, new_conditions(table, schema, conditions, constant(conditions, given, len(x))), table.source)
    return Rows(table.source, x, found.row_names, table, found.ignored, c)


def _of_array(run: Run, source: Any, given: dict[str, Any]) -> Rows:
    recipe = run.config["data"] or {}
    if changed := [name for name in _PREPARED if recipe.get(name)]:
        raise UsageError(
            f"{run.folder} was trained on data prepared by {', '.join(changed)}; new rows would need the same: "
            "pass them to obsvae.log_likelihood, obsvae.impute and their like as the model sees them"
        )
    conditions, known = conditions_of(run), dict[str, ConditionValues]()
    if isinstance(source, np.ndarray | Tensor):
        called, values = "the array", as_numpy(source, "the array", missing=True)
    elif isinstance(source, str | os.PathLike) and Path(source).expanduser().is_dir():
        stored = from_folder(os.fsdecode(source))
        called, values = repr(os.fsdecode(source)), stored.x
        if conditions and stored.labels is not None and "label" not in given:
            known["label"] = stored.on_labels(called).conditions[0]
    elif isinstance(source, str | os.PathLike) and not is_table(source):
        called, values = repr(os.fsdecode(source)), array_of(os.fsdecode(source))
    else:
        raise UsageError(
            f"{run.folder} was trained on an array: its rows come from .npy or .npz files, arrays or tensors; got "
            f"{repr(os.fsdecode(source)) if isinstance(source, str | os.PathLike) else type(source).__name__}"
        )
    if values.dtype.kind not in "biuf":
        raise UsageError(f"{called}: needs an array of real numbers; got dtype {values.dtype}")
    x = torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).to(device_of(run.model))
    known |= constant(conditions, given, len(x) if x.ndim else 0)
    return Rows(called, x, c=_encoded(run, known, f"the rows of {called}"))
