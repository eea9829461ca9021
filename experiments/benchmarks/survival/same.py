"""Folders of results held against each other, but for what the clock says."""

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safetensors import safe_open

from obsvae.experiments.runs.state_file import STATE

# What the clock says, by the name of a key or a column, and figures with seconds on an axis.
CLOCK = ("seconds", "wall_seconds", "allowed", "minutes", "spent", "train_seconds")
CLOCK_FIGURES = ("learning_curve.png", "learning.png")


def differences(one: Path, other: Path) -> list[str]:
    """Return the files of two folders, by relative path, that differ, or that one of them lacks.

    Bytes have to be equal, but for the seconds in .csv, .json and ``state.safetensors``, and figures of them.
    """
    files = [
        {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} for folder in (one, other)
    ]
    lacking = [f"{name} (lacking)" for name in sorted(files[0] ^ files[1])]
    return lacking + [name for name in sorted(files[0] & files[1]) if not same_file(one / name, other / name)]


def same_file(one: Path, other: Path) -> bool:
    """Return whether two files hold the same but for seconds."""
    if one.name in CLOCK_FIGURES or one.read_bytes() == other.read_bytes():
        return True
    look = _LOOKS.get(one.name, _LOOKS.get(one.suffix))
    return look is not None and look(one) == look(other)


def _json(path: Path) -> Any:
    return _without_clock(json.loads(path.read_text(encoding="utf-8")))


def _without_clock(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_clock(item) for key, item in value.items() if key not in CLOCK}
    return [_without_clock(item) for item in value] if isinstance(value, list) else value


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as text:
        return [{title: v for title, v in row.items() if title not in CLOCK} for row in csv.DictReader(text)]


def _state(path: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    with safe_open(path, framework="np") as held:
        tensors = {name: held.get_tensor(name).tobytes() for name in held.keys()}  # noqa: SIM118 - it is no mapping
        notes = dict(held.metadata() or {})
    rows = list(csv.DictReader(notes.pop("history").splitlines()))
    return tensors, {**notes, "history": str([{k: v for k, v in row.items() if k not in CLOCK} for row in rows])}


_LOOKS: Mapping[str, Callable[[Path], object]] = {".json": _json, ".csv": _csv, STATE: _state}
