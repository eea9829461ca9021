"""Columns of tables that are conditions: given to the model, and not predicted by it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from obsvae.data.conditions import Condition, ConditionValues
from obsvae.data.tables.encode import value_text
from obsvae.data.tables.guessing.levels import codes_of
from obsvae.data.tables.parsed import Parsed, parse
from obsvae.data.tables.raw import RawTable
from obsvae.data.tables.schemas.schema import GIVEN, ColumnSchema, Schema
from obsvae.errors import UsageError
from obsvae.names import listed, nearest


def with_conditions(schema: Schema | None, names: Sequence[str], tables: Collection[RawTable]) -> Schema:
    """Return a schema in which some columns are conditions, in place of observed or ignored ones.

    Args:
        schema: what is declared; None: nothing.
        names: of the columns.
        tables: which have them.

    Raises UsageError for a column that a table lacks, and for one that has another role in which it is needed.
    """
    schema = Schema() if schema is None else schema
    for table in tables:
        for name in names:
            if name not in table.columns:
                raise UsageError(
                    f"{table.source} lacks column {name!r}, which is to be a condition; "
                    f"{nearest(name, table.columns)}its columns are {listed(table.columns)}"
                )
    said = {name: schema.columns.get(name, ColumnSchema()) for name in names}
    for name, one in said.items():
        if one.role in ("split", "label", "offset"):
            raise UsageError(
                f"column {name!r} is to be a condition, but the schema says that its role is {one.role!r}: change one "
                "of them"
            )
    # What is said of a family goes with a column that is predicted.
    conditions = {name: ColumnSchema(levels=one.levels, unit=one.unit, role="condition") for name, one in said.items()}
    return replace(schema, columns={**schema.columns, **conditions})


def condition_values(name: str, said: ColumnSchema, values: Parsed, table: RawTable) -> ConditionValues:
    """Return the values of a condition.

    Args:
        name: of its column.
        said: of it; without levels it has numbers.
        values: of the column.
        table: that they come from, for messages.

    Raises UsageError for a missing value, a text among numbers, and a text that is no level.
    """
    where, role = f"{table.source}, column {name!r}", said.role
    if said.levels is None:
        codes, wrong = values.numbers, values.wrong
        needed = "needs numbers" if role == "offset" else "needs numbers, or levels = [...] in the schema"
    else:
        codes, wrong = codes_of(values, said.levels)
        needed = f"needs one of its levels, {listed(said.levels)}"
    if wrong.any():
        row = int(wrong.argmax())
        raise UsageError(f"{where}: {needed}; {table.place(row)} has {value_text(table, name, row)}: correct it")
    if values.missing.any():
        row = int(values.missing.argmax())
        raise UsageError(
            f"{where}: {'an' if role == 'offset' else 'a'} {role} may not be missing, but {table.place(row)} has none: "
            "fill it, or leave the row out"
        )
    return ConditionValues(name, codes.astype(float), said.levels, role == "offset")


def new_conditions(
    table: RawTable, schema: Schema, conditions: Sequence[Condition], fixed: Mapping[str, ConditionValues]
) -> dict[str, ConditionValues]:
    """Return the values of conditions in new rows, by name.

    Args:
        table: the rows.
        schema: complete, that of the model.
        conditions: of the model.
        fixed: values by name, which stand in the place of a column.

    Raises UsageError for a column that is gone, and for what :func:`condition_values` refuses.
    """
    found = dict(fixed)
    for one in conditions:
        if one.name in found:
            continue
        if one.name not in table.columns:
            others = [name for name in table.columns if name not in schema.columns]
            such = one.levels[0] if one.levels else "1"
            raise UsageError(
                f"{table.source} lacks column {one.name!r}, a condition of the model; {nearest(one.name, others)}its "
                f"columns are {listed(table.columns)}: add it, or give a value to all rows, such as "
                f"given={{{one.name!r}: {such!r}}}"
            )
        values = parse(table.columns[one.name], schema.missing)
        found[one.name] = condition_values(one.name, schema.columns[one.name], values, table)
    return found


def require_given(said: ColumnSchema, where: str) -> None:
    """Refuse what is said of a condition's family: it has none.

    Args:
        said: of a column whose role is in ``GIVEN``.
        where: what to call the column in messages.

    """
    assert said.role in GIVEN
    keys: dict[str, object] = {"observation": said.observation, "bounds": said.bounds, "grid": said.grid}
    if said.role == "offset":
        keys["levels"] = said.levels
    for key, value in keys.items():
        if value:
            raise UsageError(
                f"{where}: {key} goes with a column that is predicted, not with a {said.role}: leave it out"
            )
