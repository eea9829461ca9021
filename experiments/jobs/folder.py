"""A folder in which interrupted work goes on."""

import json
import reprlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from obsvae.errors import UsageError
from obsvae.experiments.files import create_run, removed_where_empty, save_json
from obsvae.experiments.lock import FolderLock
from obsvae.model import MeasureMismatch


@contextmanager
def opened(out: Path, settings: dict[str, Any]) -> Iterator[None]:
    """Make the folder, or go on in one that has the same settings, and keep other processes from it meanwhile.

    Raises:
        UsageError: for a folder with other settings, or with something else in it, or in which another process works.
        MeasureMismatch: for a folder with models of other data.
    """
    is_new = not out.exists()
    if is_new:
        create_run(out)
    with FolderLock(out):
        file = out / "settings.json"
        if is_new or _was_killed(out):
            with removed_where_empty(out):
                save_json(file, settings)
        else:
            _require_same(out, file, settings)
        yield


def _was_killed(out: Path) -> bool:
    """Return whether a kill came while the settings were written, before anything else was in the folder."""
    return out.is_dir() and [path.name.startswith(".settings-") for path in out.iterdir()] == [True]


def _require_same(out: Path, file: Path, settings: dict[str, Any]) -> None:
    if not file.is_file():
        raise UsageError(f"{out} exists already, and holds no settings.json; choose another folder, or remove it")
    try:
        before = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{file} is damaged ({error}); choose another folder, or remove {out}") from None
    now = json.loads(json.dumps(settings))
    changed = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    for part in ("data", "observed"):
        was, new = before.get(part), now.get(part)
        if part in changed and isinstance(was, dict) and isinstance(new, dict):
            key = next(key for key in {**was, **new} if was.get(key) != new.get(key))
            values = reprlib.repr(was.get(key)), reprlib.repr(new.get(key))
            raise MeasureMismatch(
                f"{out} holds models of other data: {key} was {values[0]}, and is {values[1]} now; likelihoods of "
                "different data are never ranked: choose another folder"
            )
    if changed:
        first = changed[0]
        raise UsageError(
            f"{out} holds results with other settings: {first} was {before.get(first)}, and is {now.get(first)} now; "
            "choose another folder, or give the same settings to go on"
        )
