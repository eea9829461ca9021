"""Texts that name a family for each column of a table."""

import json
import tomllib
from collections.abc import Mapping, Sequence

from obsvae.errors import UsageError
from obsvae.model.observations.data_like import ColumnLike
from obsvae.names import lookup

BY_COLUMN = "by-column"


def by_column_text(families: Mapping[str, str]) -> str:
    """Return the text of a table's observation in which some columns have another family than the data say.

    Args:
        families: the text of each family by the column's name.
    """
    # A text of TOML is one of JSON, but for characters beyond 16 bits, which need no escape in either.
    quoted = [[json.dumps(text, ensure_ascii=False) for text in pair] for pair in families.items()]
    named = ", ".join(f"{name} = {family}" for name, family in quoted)
    return f"{BY_COLUMN}:{{{named}}}" if families else BY_COLUMN


def families_of(spec: str, columns: Sequence[ColumnLike]) -> list[str]:
    """Return the text of each column's family.

    Args:
        spec: ``by-column``, the families that the data name; ``by-column:{"NAME" = "FAMILY", …}``, with others for
            some columns; or a family that all columns have, such as ``normal``.
        columns: of the table.

    Raises:
        UsageError: for a column that the table lacks, or a text that cannot be read.
    """
    name, _, rest = spec.partition(":")
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
