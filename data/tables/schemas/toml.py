"""Schemas as TOML files."""

import json
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path

from obsvae.data.tables.schemas.schema import Schema, schema_from
from obsvae.errors import UsageError

# What TOML wants escaped and JSON leaves as it is.
_DELETE = {0x7F: "\\u007f"}
_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def read_schema(path: str | Path) -> Schema:
    """Return the schema in a TOML file: a table ``[columns.NAME]`` for a column, and ``missing``, the markers.

    Raises UsageError for a file that cannot be read, is no TOML, or says what no schema can say.
    """
    file = Path(path).expanduser()
    source = repr(str(path))
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the schema {source}: {error.strerror}: check the path") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"the schema {source} is not UTF-8 ({error.reason}): save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"the schema {source} is not TOML ({error}): names with dots or spaces stand in quotes, such as "
            '[columns."a name"], and so do texts'
        ) from None
    return schema_from(given, f"the schema {source}")


def to_toml(schema: Schema, comments: Mapping[str, str] | None = None) -> str:
    """Return a schema as TOML, of which `read_schema` makes the same.

    Args:
        schema: what is said of the columns.
        comments: to stand above a column, by its name.

    """
    comments = comments or {}
    blocks = [f"missing = {_value(list(schema.missing))}\n"]
    for name, column in schema.columns.items():
        lines = [f"# {line}" for line in _printable(comments.get(name, ""))]
        lines.append(f"[columns.{_key(name)}]")
        lines += [f"{key} = {_value(value)}" for key, value in column.to_mapping().items()]
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def _printable(comment: str) -> list[str]:
    """Return the lines of a comment without the control characters that TOML refuses."""
    return ["".join(c if c.isprintable() else " " for c in line) for line in comment.splitlines()]


def _key(name: str) -> str:
    return name if name and _BARE.issuperset(name) else _value(name)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).translate(_DELETE)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, float) and math.isfinite(value) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return repr(value)
