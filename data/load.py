"""One way to data: `load` by name, by path, or from memory."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from obsvae.data import arrays, torchvision_sets, transforms
from obsvae.data.dataset import Dataset
from obsvae.data.images.read import from_folder
from obsvae.data.memory import Values, not_data
from obsvae.data.scaling import Scaling
from obsvae.data.stored import Stored
from obsvae.data.tables.load import SchemaLike, is_table, load_table
from obsvae.errors import UsageError
from obsvae.names import lookup
from obsvae.units import UNITS, unit_shape_of

SOURCES: dict[str, Callable[[], Stored]] = {
    "digits": arrays.digits,
    "mnist": torchvision_sets.mnist,
    "fashion-mnist": torchvision_sets.fashion_mnist,
    "kmnist": torchvision_sets.kmnist,
    "omniglot": torchvision_sets.omniglot,
    "cifar10": torchvision_sets.cifar10,
    "freyfaces": arrays.frey_faces,
}


def load(
    name: str | os.PathLike[str] | np.ndarray | Tensor | Any,
    *,
    schema: SchemaLike | None = None,
    layer: str | None = None,
    names: Sequence[str] | None = None,
    labels: Values | None = None,
    splits: Mapping[str, Values] | None = None,
    binarise: str | None = None,
    dequantise: bool = False,
    warp: float | None = None,
    scaling: str | None = None,
    bounds: Sequence[float] | None = None,
    grid: Sequence[float] | None = None,
    units: str | None = None,
    missing: bool = False,
    channels: str | None = None,
    conditions: Sequence[str] = (),
    seed: int = 0,
) -> Dataset:
    """Return a dataset in data units, on the CPU; the same arguments give the same tensors.

    Args:
        name: one of `SOURCES`, the path of a .npy or .npz file (``file.npz:images`` is its array ``images``), that of a
            folder of PNG and JPEG images, or an array or tensor of real numbers, (N, *event). It is copied, and never
            changed. Or a table, whose columns have families of their own: the path of a .csv, .tsv, .parquet or .h5ad
            file, a data frame, or a mapping of train, validation and test to one of them each.
        schema: what is declared of the columns of a table: a mapping, or the path of a TOML file, as `obsvae inspect
            --out` writes it. Of what is not declared the values tell.
        layer: which layer of an .h5ad file, in place of X.
        names: of the D features of vectors, distinct.
        labels: integers (N,).
        splits: "train", "validation" and "test" to row numbers, counted from 0, or to boolean masks (N,). By default
            80 %, 10 % and 10 %, drawn at random and the same in every run. Known names have splits of their own.
        binarise: None, "dynamic", "static" or "threshold".
        dequantise: add uniform noise within each grid cell.
        warp: None, or γ from −½ to below ½: map the data to [0, 1], binary for −½, only shifted and scaled for 0, near
            ½ for γ near ½.
        scaling: None, "standardise" or "unit-interval": recorded as `Dataset.scaling`, not applied.
        bounds: (low, high) that the data are known to lie within, in place of those that the source declares.
        grid: (low, step, levels), the lattice low, low + step, … that the data lie on, for those that a file holds as
            real numbers, such as (0, 1 / 255, 256) for grey levels divided by 255; (low, step) for one without ends.
            Where the bounds lie on it, it runs from one to the other. By default that of integers.
        units: which entries of a datum have a unit of their own, and with it a mean and a spread: "column" (each
            entry of the last axis, such as the sensors of windows (time, sensor)), "channel" or "all". By default
            columns of vectors, channels of images (1, 3 or 4), one unit for other images, and columns of windows: real
            numbers without bounds whose first two axes differ in length.
        missing: whether NaN, and masked entries, are missing ones, which every likelihood leaves out; else they are
            refused.
        channels: where the images of an array have their channels, "first" or "last" (N, rows, columns, channels),
            which are then moved to the first place; each is a unit of its own. By default no axis is moved.
        conditions: names of what the model is given, and does not predict: columns of a table, or "label", the labels
            of other data. Those that a schema declares need not be named.
        seed: of the draws of binarise and dequantise.

    Raises UsageError for an unknown name, data that cannot be found or read, data that no model could be trained on,
    data outside the bounds, and arguments that do not fit together.
    """
    if binarise is not None and dequantise:
        raise UsageError("needs one of binarise and dequantise; got both: zeros and ones want no noise, so drop one")
    if warp is not None and not isinstance(warp, Real):
        raise UsageError(f"warp needs a number from -0.5 to below 0.5; got {warp!r}")
    if not isinstance(seed, Integral) or not 0 <= seed < 2**63:
        raise UsageError(f"seed needs a whole number from 0 to 2**63 - 1; got {seed!r}")
    for option, given in {"missing": missing, "dequantise": dequantise}.items():
        if not isinstance(given, bool | np.bool_):
            raise UsageError(f"{option} needs to be True or False; got {given!r}")
    if units is not None:
        lookup("units", units, dict.fromkeys(UNITS))
    changes = {"binarise": binarise is not None, "dequantise": dequantise, "warp": warp is not None}
    if missing and any(changes.values()):
        which = " and ".join(name for name, asked in changes.items() if asked)
        raise UsageError(
            f"{which} needs a value in every entry, but entries may be missing (missing=True): leave it out"
        )
    scale = None if scaling is None else lookup("scaling", scaling, SCALINGS)
    if isinstance(conditions, str) or any(not isinstance(one, str) for one in conditions):
        raise UsageError(f"conditions need a list of names, such as ['label']; got {conditions!r}")
    if is_table(name):
        options = {"names": names, "labels": labels, "bounds": bounds, "units": units, "missing": missing}
        options |= {"channels": channels, "grid": grid}
        changed = {"scaling": scaling, "binarise": binarise, "dequantise": dequantise, "warp": warp}
        return load_table(name, schema, splits, layer, {**options, **changed}, conditions)
    for option, value in {"schema": schema, "layer": layer}.items():
        if value is not None:
            raise UsageError(f"{option} goes with a table, such as a .csv file; got {_said(name)}: leave it out")
    if isinstance(name, np.ndarray | Tensor):
        called, stored = "array", arrays.from_memory(name, "array", names, labels, splits, missing, channels)
    elif isinstance(name, str | os.PathLike):
        called = os.fsdecode(name)
        stored = _read(called, names, labels, splits, missing, channels)
    else:
        raise not_data(name)
    where = "array" if called == "array" else repr(called)
    if conditions:
        if unknown := [one for one in conditions if one != "label"]:
            raise UsageError(
                f"{where} has no condition {unknown[0]!r}: of data that are no table the labels alone can be one, "
                "conditions=['label']"
            )
        stored = stored.on_labels(where)
    if grid is not None:
        stored = stored.on_grid(grid, where)
    if bounds is not None:
        within = stored.within(bounds, where)
        if grid is not None and len(grid) > 2 and within.grid != stored.grid:
            raise UsageError(f"bounds {tuple(bounds)} and grid {tuple(grid)} have other ends: leave one of them out")
        stored = within
    dataset = stored.dataset(called)
    entries = "channel" if units is None and channels is not None else units
    if entries is not None:
        unit_shape_of(dataset.event_shape, entries)
        dataset = replace(dataset, units=entries)
    if binarise is not None:
        dataset = transforms.binarise(dataset, binarise, int(seed))
    if dequantise:
        dataset = transforms.dequantise(dataset, int(seed))
    if warp is not None:
        dataset = transforms.warp(dataset, warp)
    if scale is not None:
        dataset = replace(dataset, scaling=scale(dataset))
    if isinstance(name, np.ndarray | Tensor) or labels is not None or splits is not None:
        return dataset
    recipe = {
        "name": called,
        "binarise": binarise,
        "dequantise": bool(dequantise),
        "warp": None if warp is None else float(warp),
        "scaling": scaling,
        "bounds": None if bounds is None else [float(bound) for bound in bounds],
        "grid": None if grid is None else [float(number) for number in grid],
        "units": units,
        "missing": bool(missing),
        "channels": channels,
        "seed": int(seed),
    }
    if stored.names is not None:
        recipe["names"] = list(stored.names)
    if conditions:
        recipe["conditions"] = list(conditions)
    return replace(dataset, recipe=recipe)


def _read(
    name: str,
    names: Sequence[str] | None,
    labels: Values | None,
    splits: Mapping[str, Values] | None,
    missing: bool,
    channels: str | None,
) -> Stored:
    """Return the data of a known name, a file or a folder."""
    if arrays.is_array_file(name):
        return arrays.from_file(name, names, labels, splits, missing, channels)
    if name and name not in SOURCES and Path(name).expanduser().is_dir():
        if names is not None or missing or channels is not None:
            raise UsageError(
                f"names, missing and channels go with an array; got them with images, {name!r}: leave them out"
            )
        return from_folder(name, labels, splits)
    otherwise = ", or a path to .npy or .npz, to a table such as .csv, or to a folder of images"
    source = lookup("data", name, SOURCES, otherwise=otherwise)
    if names is not None or labels is not None or splits is not None or missing or channels is not None:
        raise UsageError(
            "names, labels, splits, missing and channels go with an array or a file; got them with "
            f"{name!r}: leave them out"
        )
    return source()


def _said(name: object) -> str:
    return repr(os.fsdecode(name)) if isinstance(name, str | os.PathLike) else type(name).__name__


def _standardise(dataset: Dataset) -> Scaling:
    return Scaling.standardise(dataset.train, dataset.unit_shape, dataset.names)


def _unit_interval(dataset: Dataset) -> Scaling:
    if dataset.bounds is None:
        raise UsageError(
            f"scaling 'unit-interval' needs declared bounds; {dataset.name!r} has none: "
            "pass bounds=(low, high), or scaling='standardise'"
        )
    return Scaling.unit_interval(dataset.bounds)


SCALINGS: dict[str, Callable[[Dataset], Scaling]] = {"standardise": _standardise, "unit-interval": _unit_interval}
