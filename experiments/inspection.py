"""What the columns of a table are taken for, and what an array looks like, in words."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from obsvae.data import SOURCES, Dataset, load, look_at, suspicions_of
from obsvae.data.arrays import is_array_file
from obsvae.data.inspection.splits import of_splits
from obsvae.data.inspection.suspicion import together
from obsvae.data.tables.guessing.guesses import Guess, family_counts, guess_table
from obsvae.data.tables.guessing.suspicions import signs
from obsvae.data.tables.raw import RawTable
from obsvae.data.tables.schemas.families import innermost
from obsvae.data.tables.schemas.schema import Schema
from obsvae.data.tables.schemas.toml import to_toml
from obsvae.data.tables.stored import stored_table
from obsvae.errors import UsageError
from obsvae.experiments.comparison.acceptance import require_data
from obsvae.experiments.verdicts.looks import in_words
from obsvae.model import BY_COLUMN, OBSERVATIONS, make_observation
from obsvae.names import lookup

COLUMNS_TOLD = 40
SUSPICIONS_TOLD = 30
WIDTH = 28  # of a name or a range


def is_array(name: str) -> bool:
    """Return whether data are an array: of a known name, a file of arrays, or a folder of images."""
    return name in SOURCES or is_array_file(name) or Path(name).expanduser().is_dir()


def array_text(name: str) -> str:
    """Return what an array is, what its values look like over all splits, what looks wrong, and the command to go on.

    Args:
        name: as :func:`load` takes it; entries that are NaN in a file are counted as missing.

    Raises:
        UsageError: for data that no model could be trained on.
    """
    data = load(name, missing=is_array_file(name))
    splits = ", ".join(f"{len(rows)} {split}" for split, rows in data.rows.items())
    shape = " × ".join(map(str, data.event_shape))
    lines = [f"{name}: {sum(map(len, data.rows.values()))} data of {shape} ({splits})"]
    lines += [f"bounds: {data.bounds[0]:g} to {data.bounds[1]:g}"] if data.bounds is not None else []
    if (grid := data.grid) is not None:
        levels = "" if grid.levels is None else f", {grid.levels} values"
        lines.append(f"grid: from {grid.low:g} in steps of {grid.step:g}{levels}")
    (look,) = look_at(data)
    lines.append(f"values: {in_words(look)}")
    if found := suspicions_of(data):
        lines += ["", "Look at:", *(f"- {one}" for one in found)]
    missing = " --missing" if look.missing else ""
    lines += ["", f"now: obsvae recommend {shlex.quote(name)}{missing} --out rec"]
    return "\n".join(lines)


def inspected(table: RawTable, schema: Schema) -> tuple[Guess, ...]:
    """Return what each column of a table is; raise UsageError for a declared family that does not exist."""
    for name, said in schema.columns.items():
        if said.observation is not None:
            try:
                lookup("observation", innermost(said.observation), OBSERVATIONS)
            except UsageError as error:
                raise UsageError(f"{schema.source}, column {name!r}: {error}") from None
    return guess_table(table, schema)


def as_data(table: RawTable, schema: Schema) -> tuple[Dataset | None, str]:
    """Return the table as it would be trained on, and why training would be refused; empty where it would not be."""
    try:
        stored, _ = stored_table(table, schema)
        data = stored.dataset(table.source)
    except UsageError as error:
        return None, str(error)
    try:
        require_data(make_observation(BY_COLUMN, data), data)
    except UsageError as error:
        return data, str(error)
    return data, ""


def inspection_text(source: str, guesses: Sequence[Guess], data: Dataset | None = None, refused: str = "") -> str:
    """Return a line for each column, of many for the first, and what looks wrong.

    Args:
        source: what to call the table.
        guesses: of its columns.
        data: the table as it would be trained on, whose rows and splits are looked at, too.
        refused: why training on it would be refused, if it would.
    """
    seen, told = guesses[0].seen, guesses[:COLUMNS_TOLD]
    counts = ", ".join(f"{number} {family}" for family, number in family_counts(guesses).items())
    parts = [f"{source}: {seen.rows} rows, {len(guesses)} columns: {counts}", "", _table(told)]
    if len(guesses) > len(told):
        parts += ["", f"… and {len(guesses) - len(told)} more columns, which the schema that --out writes tells"]
    found = together([*signs(guesses), *([] if data is None else of_splits(data))])
    lines = [f"training would be refused: {refused}"] if refused else []
    lines += [str(one) for one in found[:SUSPICIONS_TOLD]]
    if lines:
        parts += ["", "Look at:", *(f"- {line}" for line in lines)]
    if len(found) > SUSPICIONS_TOLD:
        parts.append(f"- … and {len(found) - SUSPICIONS_TOLD} more")
    return "\n".join(parts)


def schema_text(source: str, guesses: Sequence[Guess], schema: Schema) -> str:
    """Return the schema of a table in TOML, with the reason for each guess."""
    full = Schema({guess.name: guess.schema for guess in guesses}, schema.missing)
    comments = {guess.name: "" if guess.is_declared else guess.reason for guess in guesses}
    for one in signs(guesses):
        comments[one.name] += f"\n{one.text}"
    above = [
        f"# The columns of {_printable(source)}, as guessed: change what is wrong.",
        "# A column that is left out is guessed again. Its role is observe, condition, offset, label, ignore or split;",
        "# obsvae train --observation help lists the families; unit is any text.",
    ]
    return "\n".join(above) + "\n" + to_toml(full, comments)


def _table(guesses: Sequence[Guess]) -> str:
    lines = [
        {
            "column": _cut(_printable(guess.name)),
            "kind": guess.column.kind.name.lower() if guess.column else "-",
            "family": guess.column.observation if guess.column else guess.schema.role,
            "missing": guess.seen.missing or "",
            "range": _cut(_range(guess)),
            "at 0": _share(guess.seen.zeros, guess.seen.present),
            "distinct": guess.seen.distinct,
            "step": "" if guess.seen.step is None or _has_levels(guess) else f"{guess.seen.step:g}",
            "why": guess.reason,
        }
        for guess in guesses
    ]
    return tabulate(lines, headers="keys", disable_numparse=True, colalign=_alignment())


def _alignment() -> tuple[str, ...]:
    return ("left", "left", "left", "right", "left", "right", "right", "right", "left")


def _has_levels(guess: Guess) -> bool:
    return guess.column is not None and guess.column.levels is not None


def _range(guess: Guess) -> str:
    if guess.column is not None and guess.column.levels is not None:
        return _printable(", ".join(guess.column.levels[:10]))
    if guess.seen.low is None or guess.seen.high is None:
        return _printable(", ".join(guess.values.texts[0][:3]))
    return f"{guess.seen.low:.8g} … {guess.seen.high:.8g}"


def _share(number: int, of: int) -> str:
    """Return a share in per cent, which is 0 and 100 where it is exactly that."""
    if number in (0, of):
        return "100 %" if number else ""
    return f"{min(max(round(100 * number / of), 1), 99)} %"


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"


def _printable(text: str) -> str:
    return text if text.isprintable() else repr(text)
