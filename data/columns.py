"""The columns of a table: what each holds, and which family stands for it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any, Self

from obsvae.data.grid import Grid


class Kind(Enum):
    """What the values of a column are."""

    REAL = "real numbers"
    POSITIVE = "positive numbers"
    PROPORTION = "numbers between two bounds"
    ANGLE = "angles"
    COUNT = "counts"
    BINARY = "one of two levels"
    CATEGORY = "levels without order"
    ORDINAL = "levels with an order"


@dataclass(frozen=True)
class Column:
    """A column of a table, as a model sees it.

    Args:
        name: its name in the file.
        kind: what its values are.
        observation: the family that stands for it, as a text such as ``"student-t:df=4"``.
        bounds: the declared (low, high), or None.
        grid: the lattice that its values lie on: without ends for whole numbers, 0, 1, … for levels; None for others.
        levels: the texts of its levels, whose codes 0, 1, … are the values of x; None for numbers.
        unit: of its numbers, such as "kg"; empty where nobody said.
        is_whole: whether its numbers are written without a decimal point.

    """

    name: str
    kind: Kind
    observation: str
    bounds: tuple[float, float] | None = None
    grid: Grid | None = None
    levels: tuple[str, ...] | None = None
    unit: str = ""
    is_whole: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values, which :meth:`from_json` reads."""
        plain = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}
        return {**plain, "kind": self.kind.name.lower()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the column that :meth:`to_json` wrote."""
        bounds, grid, levels = content["bounds"], content["grid"], content["levels"]
        read = {
            "kind": Kind[content["kind"].upper()],
            "bounds": None if bounds is None else (bounds[0], bounds[1]),
            "grid": None if grid is None else Grid(**grid),
            "levels": None if levels is None else tuple(levels),
        }
        return cls(**{**content, **read})
