"""Texts that name a family for each column of a table."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from obsvae.errors import UsageError
from obsvae.model.observations.data_like import ColumnLike
from obsvae.names import lookup

BY_COLUMN, _FILE = "by-column", "schema="


def by_column_text(families: Mapping[str, str]) -> str:
    """Return the text of a table's observation in which some columns have another family than the data say.

    Args:
        families: the text of each family by the column's name.
    """
    # A text of TOML is one of JSON, but for characters beyond 16 bits, which need no escape in either.
    quoted = [[json.dumps(text, ensure_ascii=False) for text in pair] for pair in families.items()]
    named = ", ".join(f"{name} = {family}" for name, family in quoted)
    return f"{BY_COLUMN}:{{{named}}}" if families else BY_COLUMN


def resolved(spec: str) -> str:
    """Return a text of an observation that needs no file: ``by-column:schema=FILE`` with the families of the file.

    Raises:
        UsageError: for a file that cannot be read, or is no schema.
    """
    name, _, rest = spec.partition(":")
    if name != BY_COLUMN or not rest.startswith(_FILE):
        return spec
    file = Path(rest.removeprefix(_FILE)).expanduser()
    try:
        columns = tomllib.loads(file.read_text(encoding="utf-8")).get("columns", {})
        families = {column: said["observation"] for column, said in columns.items() if "observation" in said}
    except OSError as error:
        raise UsageError(f"cannot read the schema {str(file)!r} of {spec}: {error.strerror}; check the path") from None
    except (ValueError, TypeError, AttributeError) as error:  # no UTF-8, no TOML, or no tables of columns
        raise UsageError(f"{str(file)!r} is no schema ({error}); obsvae inspect DATA --out FILE writes one") from None
    return by_column_text(families)


def families_of(spec: str, columns: Sequence[ColumnLike]) -> list[str]:
    """Return the text of each column's family.

    Args:
        spec: ``by-column``, the families that the data name; ``by-column:{"NAME" = "FAMILY", …}``, with others for
            some columns, or ``by-column:schema=FILE`` with those of a schema; or a family that all columns have, such
            as ``normal``.
        columns: of the table.

    Raises:
        UsageError: for a column that the table lacks, or a text that cannot be read.
    """
    name, _, rest = resolved(spec).partition(":")
    if name != BY_COLUMN:
        return [spec] * len(columns)
    others = _read(rest) if rest else {}
    known = {column.name: column for column in columns}
    for column in others:
        lookup("column", column, known)
    return [others.get(column.name, column.observation) for column in columns]


def _read(text: str) -> dict[str, str]:
    """Return the families of ``{"NAME" = "FAMILY", …}``, an inline table of TOML."""
    try:
        found = tomllib.loads(f"families = {text}")["families"]
        if isinstance(found, dict) and all(isinstance(family, str) for family in found.values()):
            return found
        why = "it is no table of texts"
    except tomllib.TOMLDecodeError as error:
        why = str(error)
    raise UsageError(
        f'by-column needs families by column, by-column:{{"NAME" = "FAMILY", …}}, but got {text} ({why}); quote names '
        "and families"
    )
