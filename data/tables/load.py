"""Tables as datasets: of a file, of a data frame, or of one of them for each split."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from obsvae.data.dataset import Dataset
from obsvae.data.memory import Values
from obsvae.data.splits import SPLITS
from obsvae.data.tables.given import with_conditions
from obsvae.data.tables.read import read_table, suffix_of
from obsvae.data.tables.schemas.schema import Schema, schema_from
from obsvae.data.tables.schemas.toml import read_schema
from obsvae.data.tables.stored import stored_table, stored_tables
from obsvae.errors import UsageError

SchemaLike = Schema | Mapping[str, Any] | str | os.PathLike[str]
# What to do in place of an option of arrays.
_REMEDIES = {
    "names": "a table has names of its own",
    "labels": 'give their column role = "label" in the schema',
    "bounds": "give a column its bounds in the schema",
    "grid": "give a column its grid in the schema",
    "units": "each column has a unit of its own",
    "missing": "entries of a table may always be missing, and the schema says by which texts",
    "scaling": "each column has a scale of its own",
    "binarise": "store zeros and ones",
    "dequantise": "declare a grid in the schema, for exact masses",
    "warp": "warp an array",
    "channels": "its columns are no images",
}


def is_table(data: object) -> bool:
    """Return whether data are a table: the path of a file of one, a data frame, or one of them for each split."""
    if isinstance(data, Mapping):
        return bool(data) and all(map(is_table, data.values()))
    if isinstance(data, str | os.PathLike):
        return suffix_of(data) is not None
    return hasattr(data, "to_numpy") and hasattr(data, "columns")


def load_table(
    data: Any,
    schema: SchemaLike | None,
    splits: Mapping[str, Values] | None,
    layer: str | None,
    given: Mapping[str, Any],
    conditions: Sequence[str] = (),
) -> Dataset:
    """Return a table as a dataset.

    Args:
        data: for which `is_table` holds.
        schema: what is declared of its columns, or a file of it; of others the values tell.
        splits: as `splits.given` takes them.
        layer: which layer of an AnnData file.
        given: options of arrays by name, of which none may say anything.
        conditions: names of columns that are conditions, whatever the schema says of their role.

    """
    for option, value in given.items():
        if value is not None and value is not False:
            raise UsageError(f"{option} does not go with a table: {_REMEDIES[option]}; leave it out")
    declared = as_schema(schema)
    if isinstance(data, Mapping):
        if splits is not None:
            raise UsageError("a table for each split says which rows are in it: leave splits out")
        if set(data) != set(SPLITS):
            wrong = ", ".join(map(repr, data))
            raise UsageError(f"a mapping of tables needs exactly {', '.join(map(repr, SPLITS))}; got {wrong}")
        tables = {split: read_table(data[split], layer=layer) for split in SPLITS}
        declared = with_conditions(declared, conditions, tables.values()) if conditions else declared
        stored, full = stored_tables(tables, declared)
        paths = list(data.values())
        name: Any = {split: _called(data[split]) for split in SPLITS}
        called = ", ".join(name.values())
    else:
        table = read_table(data, layer=layer)
        declared = with_conditions(declared, conditions, [table]) if conditions else declared
        stored, full = stored_table(table, declared, splits)
        paths, name = [data], _called(data)
        called = name
    dataset = replace(stored.dataset(called), schema=full.to_mapping())
    if splits is not None or not all(isinstance(path, str | os.PathLike) for path in paths):
        return dataset
    recipe = {"name": name, "schema": full.to_mapping()}
    return replace(dataset, recipe=recipe if layer is None else {**recipe, "layer": layer})


def as_schema(schema: SchemaLike | None) -> Schema | None:
    """Return a schema, that of a file, or that of plain values."""
    if schema is None or isinstance(schema, Schema):
        return schema
    if isinstance(schema, Mapping):
        return schema_from(schema)
    if isinstance(schema, str | os.PathLike):
        return read_schema(os.fsdecode(schema))
    raise UsageError(f"schema needs the path of a TOML file, a mapping or a Schema; got {type(schema).__name__}")


def _called(data: object) -> str:
    return os.fsdecode(data) if isinstance(data, str | os.PathLike) else "table"
