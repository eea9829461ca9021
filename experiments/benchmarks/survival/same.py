"""Folders of results held against each other, but for what the clock says."""

import csv
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safetensors import safe_open

from obsvae.experiments.runs.state_file import STATE

# What the clock says, by the name of a key or the title of a column.
CLOCK = ("seconds", "wall_seconds", "seconds_to_near_best", "allowed", "s to train", "s to 1 % of best")
# Figures with seconds on an axis; and pages that repeat what .json and .csv hold beside seconds: their words count.
CLOCK_FIGURES, PAGES = ("learning_curve.png", "learning.png"), (".md", ".html")


def differences(one: Path, other: Path) -> list[str]:
    """Return the files of two folders, by relative path, that differ, or that one of them lacks.

    Bytes have to be equal, but for the seconds in .csv, .json and ``state.safetensors``, figures of them, and numbers
    in pages, which stand in other files, too.
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


def _words(path: Path) -> list[str]:
    """Return the words of a page without numbers, pictures and the rules of tables, which are as long as those."""
    text = re.sub(r"base64,[^\"]*", "", path.read_text(encoding="utf-8"))
    return re.sub(r"[-−\d.,]+", " ", text).split()


def _json(path: Path) -> Any:
    return _without_clock(json.loads(path.read_text(encoding="utf-8")))


def _without_clock(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_clock(item) for key, item in value.items() if key not in CLOCK}
    if isinstance(value, str):  # a sentence
        return re.sub(r"\(\d[\d.]* s\)", "(some s)", value)
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


_LOOKS: dict[str, Callable[[Path], object]] = {".json": _json, ".csv": _csv, STATE: _state}
_LOOKS |= dict.fromkeys(PAGES, _words)
