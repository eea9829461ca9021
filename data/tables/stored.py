"""Tables as data to train on: encoded, checked and split."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from obsvae.data.checks import MINIMUM_ROWS, check_values
from obsvae.data.conditions import ConditionValues
from obsvae.data.memory import Values
from obsvae.data.splits import SPLITS, drawn, given
from obsvae.data.stored import Stored
from obsvae.data.tables.encode import encoded, value_text
from obsvae.data.tables.given import condition_values, require_given
from obsvae.data.tables.guessing.guesses import Guess, guess_table
from obsvae.data.tables.guessing.levels import codes_of
from obsvae.data.tables.join import joined
from obsvae.data.tables.raw import RawTable, require_rows
from obsvae.data.tables.schemas.schema import GIVEN, Schema
from obsvae.errors import UsageError


def stored_table(
    table: RawTable, schema: Schema | None = None, splits: Mapping[str, Values] | None = None
) -> tuple[Stored, Schema]:
    """Return a table as data, and the schema with what the values tell filled in.

    Args:
        table: at least 10 rows.
        schema: what is declared of its columns; None: nothing.
        splits: as `splits.given` takes them; by default those of the column whose role is split, and else 80/10/10,
            drawn at random.

    Raises UsageError for what `encode_rows` refuses, a table without a column to observe, columns that float32 cannot
    hold, and a condition that is missing in a row.
    """
    require_rows(table, MINIMUM_ROWS)
    schema = Schema() if schema is None else schema
    guesses = guess_table(table, schema)
    full = replace(schema, columns={guess.name: guess.schema for guess in guesses})
    for name, said in schema.columns.items():
        if said.role in GIVEN:
            require_given(said, f"{schema.source}, column {name!r}")
    observed = [guess for guess in guesses if guess.column is not None]
    columns = tuple(guess.column for guess in observed if guess.column is not None)
    if not observed:
        reasons = "; ".join(f"{guess.name!r}: {guess.reason}" for guess in guesses[:5])
        raise UsageError(
            f'{table.source}: needs a column to observe, but has none ({reasons}): declare role = "observe"'
        )
    x = np.stack(
        [encoded(column, guess.values, table) for column, guess in zip(columns, observed, strict=True)], axis=1
    )
    names = tuple(column.name for column in columns)
    labels, label_names = _labels(guesses, table)
    stored = Stored(
        check_values(x, table.source, names, missing=True),
        _rows(guesses, table, splits),
        labels=labels,
        names=names,
        columns=columns,
        row_names=table.row_names,
        label_names=label_names,
        has_missing=True,  # new rows may have holes, whatever these have
        conditions=_conditions(guesses, table),
    )
    return stored, full


def stored_tables(tables: Mapping[str, RawTable], schema: Schema | None = None) -> tuple[Stored, Schema]:
    """Return tables of the same columns, one for each split, as data, and the schema with all filled in.

    Rows are numbered over all tables; where they have no names, they get those of their split and their number in it.

    Args:
        tables: "train", "validation" and "test" to tables.
        schema: what is declared of their columns; None: nothing.

    """
    if set(tables) != set(SPLITS):
        raise UsageError(f"a table for each split needs exactly {', '.join(SPLITS)}; got {', '.join(tables) or 'none'}")
    for split in SPLITS:
        require_rows(tables[split])
    ends = np.cumsum([len(tables[split]) for split in SPLITS])
    rows = dict(zip(SPLITS, np.split(np.arange(ends[-1]), ends[:-1]), strict=True))
    return stored_table(joined({split: tables[split] for split in SPLITS}), schema, rows)


def _conditions(guesses: tuple[Guess, ...], table: RawTable) -> tuple[ConditionValues, ...]:
    offset = _with_role("offset", guesses, table)
    given = [guess for guess in guesses if guess.schema.role == "condition"] + ([offset] if offset else [])
    return tuple(condition_values(guess.name, guess.schema, guess.values, table) for guess in given)


def _labels(guesses: tuple[Guess, ...], table: RawTable) -> tuple[np.ndarray | None, tuple[str, ...] | None]:
    guess = _with_role("label", guesses, table)
    if guess is None:
        return None, None
    levels = guess.schema.levels or ()
    codes, unknown = codes_of(guess.values, levels)
    wrong = codes < 0
    if wrong.any():
        row = int(wrong.argmax())
        what = f"has {value_text(table, guess.name, row)}, which is no level" if unknown[row] else "has none"
        raise UsageError(
            f"{table.source}, column {guess.name!r}: needs a label in each row; {table.place(row)} {what}: remove the "
            'row, or declare another role, such as "observe"'
        )
    return codes, levels


def _rows(guesses: tuple[Guess, ...], table: RawTable, splits: Mapping[str, Values] | None) -> Mapping[str, np.ndarray]:
    N = len(table)
    if splits is not None:
        return given(splits, N)
    guess = _with_role("split", guesses, table)
    if guess is None:
        return drawn(N, N // 10, N // 10)
    codes, _ = codes_of(guess.values, SPLITS)
    wrong = codes < 0
    if wrong.any():
        row = int(wrong.argmax())
        raise UsageError(
            f"{table.source}, column {guess.name!r}: needs {', '.join(SPLITS)}, as its role is split; "
            f"{table.place(row)} has {value_text(table, guess.name, row)}: rename it"
        )
    return given({split: np.flatnonzero(codes == i) for i, split in enumerate(SPLITS)}, N)


def _with_role(role: str, guesses: tuple[Guess, ...], table: RawTable) -> Guess | None:
    found = [guess for guess in guesses if guess.schema.role == role]
    if len(found) > 1:
        raise UsageError(
            f"{table.source}: one column can be the {role}; {found[0].name!r} and {found[1].name!r} have this role: "
            'declare the other as "ignore"'
        )
    return found[0] if found else None
