"""What the user, or a run, says of the columns of a table."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from numbers import Real
from typing import Any, Self

from obsvae.errors import UsageError
from obsvae.names import listed, lookup, nearest

ROLES = ("observe", "condition", "offset", "label", "ignore", "split")
# What the model is given, and does not predict.
GIVEN = ("condition", "offset")
# "None", "-" and "." are no markers: they are levels as often, and among numbers they are refused, by row.
MISSING = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "null", "NULL", "?")


@dataclass(frozen=True)
class ColumnSchema:
    """What is said of a column; what is not, the data tell.

    Args:
        observation: the text of a family, such as ``"student-t:df=4"``.
        bounds: (low, high) that its values can have at most.
        grid: the lattice of its values: (low, step), with any whole multiple of the step above and below low; (None,
            step) where the data tell low; False for none.
        levels: its texts, in the order of their codes 0, 1, …
        unit: of its numbers, such as "kg".
        role: "observe", what the model is of; "condition", what it is given beside that; "offset", an exposure that
            multiplies what is expected; "label"; "ignore"; or "split", whose texts are train, validation, test.

    """

    observation: str | None = None
    bounds: tuple[float, float] | None = None
    grid: tuple[float | None, float] | bool | None = None
    levels: tuple[str, ...] | None = None
    unit: str = ""
    role: str | None = None

    @classmethod
    def from_mapping(cls, given: object, where: str) -> Self:
        """Return what plain values say; raise UsageError for an unknown key, or a value of the wrong kind.

        Args:
            given: by key, as in a schema file.
            where: what to call it in messages.

        """
        if not isinstance(given, Mapping):
            raise UsageError(f'{where} needs a table of settings, such as observation = "normal"; got {given!r}')
        known = {one.name for one in fields(cls)}
        for key in given:
            if key not in known:
                raise UsageError(f"{where}: unknown key {key!r}; {nearest(key, READERS)}known are {', '.join(READERS)}")
        read: dict[str, Any] = {
            key: READERS[key](value, f"{where}, {key}") for key, value in given.items() if value is not None
        }
        return cls(**read)

    def to_mapping(self) -> dict[str, Any]:
        """Return what is said as plain values, which JSON and TOML can hold."""
        grid: Any = self.grid
        if isinstance(grid, tuple):
            grid = grid[1] if grid[0] is None else list(grid)
        said = {
            "role": self.role,
            "observation": self.observation,
            "bounds": None if self.bounds is None else list(self.bounds),
            "grid": grid,
            "levels": None if self.levels is None else list(self.levels),
            "unit": self.unit or None,
        }
        return {key: value for key, value in said.items() if value is not None}


@dataclass(frozen=True)
class Schema:
    """What is said of a table.

    Args:
        columns: by name.
        missing: the texts, and the texts of numbers, that stand for a missing value; the empty text always does.
        source: what to call the schema in messages.

    """

    columns: Mapping[str, ColumnSchema] = field(default_factory=dict)
    missing: tuple[str, ...] = MISSING
    source: str = "the schema"

    def to_mapping(self) -> dict[str, Any]:
        """Return what is said as plain values, of which `schema_from` makes the same schema."""
        return {
            "missing": list(self.missing),
            "columns": {name: column.to_mapping() for name, column in self.columns.items()},
        }

    def require_columns(self, names: Iterable[str], source: str) -> None:
        """Raise UsageError where the schema speaks of a column that the table lacks.

        Args:
            names: of the table's columns.
            source: what to call the table.

        """
        there = list(names)
        present = set(there)
        for name in self.columns:
            if name not in present:
                raise UsageError(
                    f"{self.source} speaks of column {name!r}, which {source} lacks; {nearest(name, there)}its columns "
                    f"are {listed(there)}: rename it, or take it out"
                )


def schema_from(given: Mapping[str, Any], source: str = "the schema") -> Schema:
    """Return the schema that plain values describe: "columns", settings by name, and "missing", a list of markers.

    Args:
        given: the values, as in a schema file.
        source: what to call the schema in messages.

    """
    if not isinstance(given, Mapping):
        raise UsageError(f"{source} needs a mapping with columns and missing; got {type(given).__name__}")
    for key in given:
        lookup(f"key of {source}", key, {"columns": None, "missing": None})
    columns = given.get("columns", {})
    if not isinstance(columns, Mapping):
        raise UsageError(f"{source}: columns needs a table [columns.NAME] for each column; got {columns!r}")
    read = {
        str(name): ColumnSchema.from_mapping(said, f"{source}, column {str(name)!r}") for name, said in columns.items()
    }
    return Schema(read, _markers(given["missing"], f"{source}, missing") if "missing" in given else MISSING, source)


def marker_texts(values: Iterable[object]) -> tuple[str, ...]:
    """Return markers as texts: -999 is that of any number -999, and "-999" too."""
    return tuple(_plain(value) for value in values)


def _plain(value: object) -> str:
    return f"{value:.17g}" if isinstance(value, float) else str(value).strip()


def _markers(value: object, where: str) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise UsageError(f'{where} needs a list of texts and numbers, such as ["NA", -999]; got {value!r}')
    values = list(value)
    wrong = [one for one in values if isinstance(one, bool) or not isinstance(one, str | Real)]
    if wrong:
        raise UsageError(f'{where} needs texts and numbers, such as ["NA", -999]; got {wrong[0]!r}')
    return marker_texts(values)


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{where} needs a text; got {value!r}")
    return value


def _observation(value: object, where: str) -> str:
    if not _text(value, where).strip():
        raise UsageError(f'{where} needs the text of a family, such as "normal"; it is empty: leave it out')
    return _text(value, where)


def _role(value: object, where: str) -> str:
    return lookup(f"role in {where}:", _text(value, where), {role: role for role in ROLES})


def _number(value: object, where: str, wanted: str) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise UsageError(f"{where} needs {wanted}; got {value!r}")
    return float(value)


def _bounds(value: object, where: str) -> tuple[float, float]:
    wanted = "two numbers, [low, high] with low < high"
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise UsageError(f"{where} needs {wanted}; got {value!r}")
    low, high = (_number(one, where, wanted) for one in value)
    if low >= high:
        raise UsageError(f"{where} needs {wanted}; got {value!r}")
    return low, high


def _grid(value: object, where: str) -> tuple[float | None, float] | bool:
    wanted = "a positive step, [low, step], or false where there is none"
    if value is False:
        return False
    low, step = value if isinstance(value, list | tuple) and len(value) == 2 else (None, value)
    size = _number(step, where, wanted)
    if size <= 0:
        raise UsageError(f"{where} needs {wanted}; got {value!r}")
    return None if low is None else _number(low, where, wanted), size


def _levels(value: object, where: str) -> tuple[str, ...]:
    wanted = "a list of at least two texts"
    if not isinstance(value, list | tuple) or len(value) < 2:
        raise UsageError(f"{where} needs {wanted}; got {value!r}")
    wrong = [one for one in value if not isinstance(one, str)]
    if wrong:
        raise UsageError(f'{where} needs {wanted}; got {wrong[0]!r}: put it in quotes, "{wrong[0]}"')
    levels = tuple(one.strip() for one in value)
    repeated = next((level for level in levels if levels.count(level) > 1), None)
    if repeated is not None:
        raise UsageError(f"{where} needs distinct texts; {repeated!r} stands there twice")
    return levels


READERS: dict[str, Callable[[object, str], object]] = {
    "observation": _observation,
    "bounds": _bounds,
    "grid": _grid,
    "levels": _levels,
    "unit": _text,
    "role": _role,
}
