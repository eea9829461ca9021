"""A folder in which interrupted work goes on."""

import json
import reprlib
from pathlib import Path
from typing import Any

from obsvae.errors import UsageError
from obsvae.experiments.files import create_run, save_json
from obsvae.model import MeasureMismatch


def open_folder(out: Path, settings: dict[str, Any]) -> None:
    """Make the folder, or go on in one that has the same settings.

    Raises:
        UsageError: for a folder with other settings, or with something else in it.
        MeasureMismatch: for a folder with models of other data.
    """
    file = out / "settings.json"
    if not out.exists():
        create_run(out)
        save_json(file, settings)
        return
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
