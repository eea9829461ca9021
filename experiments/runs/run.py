"""A trained pair, as its run folder holds it."""

import contextlib
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import torch

from obsvae.data import Column, Dataset, Grid, load
from obsvae.data.conditions import Condition
from obsvae.data.scaling import Scaling
from obsvae.errors import UsageError
from obsvae.experiments.doors import as_path
from obsvae.experiments.files import WEIGHTS, load_config, load_history, load_weights
from obsvae.experiments.pair import build_pair, bytes_of_weights
from obsvae.guides import Guide
from obsvae.inference import History
from obsvae.model import VAE, make_observation

FORMAT = 8  # of config.json, and of what a comparison keeps


@dataclass(frozen=True)
class Observed:
    """What an observation knows of the data, as config.json records it: a pair can be built where the data are not.

    Attributes:
        event_shape: shape of one datum.
        unit_shape: shape of statistics.
        has_missing: whether entries may be missing.
        bounds: the declared (low, high), or None.
        grid: the lattice that the data lie on, or None.
        scaling: the affine map that the user chose.
        columns: of a table, or None.
        conditions: what the model is given beside x.
    """

    event_shape: tuple[int, ...]
    unit_shape: tuple[int, ...]
    has_missing: bool
    bounds: tuple[float, float] | None
    grid: Grid | None
    scaling: Scaling
    columns: tuple[Column, ...] | None
    conditions: tuple[Condition, ...] = ()

    @property
    def grids(self) -> Grid | tuple[Grid | None, ...] | None:
        """The grid that all features lie on, or those of a table's columns, or None."""
        return self.grid if self.columns is None else tuple(column.grid for column in self.columns)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return what :func:`observed` recorded."""
        bounds, grid, scaling = content["bounds"], content["grid"], content["scaling"]
        columns = content["columns"]
        return cls(
            tuple(content["event_shape"]),
            tuple(content["unit_shape"]),
            bool(content["has_missing"]),
            None if bounds is None else (bounds[0], bounds[1]),
            None if grid is None else Grid(**grid),
            Scaling(torch.tensor(scaling["offset"]), torch.tensor(scaling["scale"])),
            None if columns is None else tuple(Column.from_json(column) for column in columns),
            tuple(Condition.from_json(condition) for condition in content.get("conditions", ())),
        )


def observed(data: Dataset) -> dict[str, Any]:
    """Return as plain values what an observation must know of the data."""
    grid, scaling = data.grid, data.scaling
    conditions = {"conditions": [one.to_json() for one in data.conditions]} if data.conditions else {}
    return {
        "event_shape": list(data.event_shape),
        "unit_shape": list(data.unit_shape),
        "has_missing": data.has_missing,
        "bounds": None if data.bounds is None else list(data.bounds),
        "grid": None if grid is None else {"low": grid.low, "step": grid.step, "levels": grid.levels},
        "columns": None if data.columns is None else [column.to_json() for column in data.columns],
        "scaling": {"offset": scaling.offset.tolist(), "scale": scaling.scale.tolist()},
        **conditions,
    }


@dataclass(eq=False)
class Run:
    """A trained pair and how it came about.

    Attributes:
        folder: where its files lie.
        config: what ``config.json`` holds.
        model: trained, in evaluation mode.
        guide: trained, in evaluation mode.
    """

    folder: Path
    config: dict[str, Any]
    model: VAE
    guide: Guide

    @cached_property
    def data(self) -> Dataset:
        """The data that it was trained on, loaded when they are first asked for.

        Raises:
            UsageError: where they were in memory, are gone, or have changed since.
        """
        recipe = self.config["data"]
        if recipe is None:
            raise UsageError(
                f"{self.folder} was trained on data in memory, or with labels or splits of the caller's; pass them: "
                f"load_run({str(self.folder)!r}, data=load(...))"
            )
        try:
            with _misstated(self.folder):
                data = load(**recipe)
        except UsageError as error:
            raise UsageError(
                f"the data of {self.folder} cannot be loaded: {error}; where they were moved, pass them: "
                f"load_run({str(self.folder)!r}, data=load(...))"
            ) from None
        return _same(self.folder, self.config, data)

    @cached_property
    def history(self) -> History:
        """What happened in training; raises UsageError where its file is gone or damaged."""
        history = load_history(self.folder)
        history.stopped, history.objective = self.config["outcome"]["stopped"], self.config["outcome"]["objective"]
        history.averaging = self.config["training"].get("averaging")
        return history


def load_run(folder: str | Path, *, data: Dataset | None = None) -> Run:
    """Return a trained pair on the CPU; its data are loaded when they are first asked for.

    Of a run with a decoder or an encoder of the user's own the module that has its class is imported.

    Args:
        folder: as :func:`train_run` or the command ``train`` leaves it.
        data: those that it was trained on, where they were in memory.

    Raises:
        UsageError: for a folder that holds no whole run, or data other than those of the run.
    """
    path = as_path(folder)
    config = load_config(path)
    if (found := config.get("format")) != FORMAT:
        is_newer = isinstance(found, int) and found > FORMAT
        remedy = "install the version of obsvae that wrote it" if is_newer else "train it again"
        raise UsageError(f"{path} was written in format {found!r}, but format {FORMAT} is needed; {remedy}")
    names = ("observation", "latent", "hidden", "architecture", "guide", "prior")
    with _misstated(path):
        observation, *networks = (config[name] for name in names)
        view = Observed.from_json(config["observed"])
        try:
            made, sizes = make_observation(observation, view), dict(zip(names[1:], networks, strict=True))
            sizes |= {name: config[name] for name in ("decoder", "encoder") if config.get(name) is not None}
            _require_room(path / WEIGHTS, bytes_of_weights(made, view, **sizes))
            model, guide = build_pair(made, view, **sizes)
        except UsageError as error:
            raise UsageError(
                f"the pair of {path} cannot be built: {error}; a name that the program of the run registered has to be "
                "registered here, too"
            ) from None
        _ = config["data"], config["data_sha256"], config["outcome"]["stopped"], config["outcome"]["objective"]
    load_weights(path, model, guide)
    run = Run(path, config, model.eval(), guide.eval())
    if data is not None:
        run.data = _same(path, config, data)
    return run


def _require_room(file: Path, needed: float) -> None:
    """Refuse a configuration of far larger networks than the weights are of, before they are built."""
    if needed > (size := file.stat().st_size):
        raise UsageError(
            f"{file} is damaged, or of another model: it has {size} bytes, but the configuration needs "
            f"{needed:.0f}; train the run again"
        )


@contextlib.contextmanager
def _misstated(folder: Path) -> Iterator[None]:
    """Tell of a configuration that somebody has changed by hand: nothing else of a run can raise these."""
    try:
        yield
    except UsageError:
        raise
    except (ValueError, AttributeError, IndexError, KeyError, TypeError, RuntimeError, OverflowError) as error:
        why = " ".join(str(error).split())
        raise UsageError(f"{folder}/config.json lacks or misstates something ({why}); train the run again") from None


def _same(folder: Path, config: Mapping[str, Any], data: Dataset) -> Dataset:
    """Return the data, if they are those that a run was trained on, prepared and split as they were."""
    if not isinstance(data, Dataset):
        raise UsageError(f"load_run needs a dataset, load(x), but got {type(data).__name__}")
    if data.sha256 != config["data_sha256"]:
        raise UsageError(
            f"{folder} was trained on other data than {data.name} now holds (their SHA-256 differ); put the old data "
            "back, or train the run again"
        )
    now = observed(data)
    _refuse_changed(folder, config["observed"], now, list({**config["observed"], **now}))
    before, recipe = config["data"], data.recipe
    if before is not None and recipe is not None:
        # The same preparation gives the same data; another version of torch may draw other noise by it.
        _refuse_changed(folder, before, recipe, [key for key in before if key != "name"])
    elif data.fingerprint != config["data_fingerprint"]:
        raise UsageError(
            f"{folder} was trained on these data split or prepared otherwise; load them as they were, with the same "
            "splits, noise and seed"
        )
    return data


def _in_short(value: object) -> str:
    """Return a value in a message: of many columns the number."""
    return f"{len(value)} columns" if isinstance(value, list) and len(value) > 3 else reprlib.repr(value)


def _refuse_changed(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any], keys: Sequence[str]) -> None:
    for key in keys:
        if before.get(key) != now.get(key):
            raise UsageError(
                f"{folder} was trained on these data prepared otherwise: {key} was {_in_short(before.get(key))}, and "
                f"is {_in_short(now.get(key))} now; load them as they were"
            )
