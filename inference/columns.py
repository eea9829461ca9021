"""The columns of a table, as checks and figures look at them."""

from typing import Protocol

# Kinds of columns whose levels have no order.
_UNORDERED = ("BINARY", "CATEGORY")


class KindLike(Protocol):
    """What the values of a column are."""

    @property
    def name(self) -> str:
        """One of REAL, POSITIVE, PROPORTION, ANGLE, COUNT, BINARY, CATEGORY and ORDINAL; others are drawn as REAL."""


class StepLike(Protocol):
    """The lattice that values lie on."""

    @property
    def step(self) -> float: ...  # noqa: D102 - as data have it


class ColumnLike(Protocol):
    """A column of a table."""

    @property
    def name(self) -> str: ...  # noqa: D102 - as data have it, like all below
    @property
    def kind(self) -> KindLike: ...  # noqa: D102
    @property
    def bounds(self) -> tuple[float, float] | None: ...  # noqa: D102
    @property
    def grid(self) -> StepLike | None: ...  # noqa: D102
    @property
    def levels(self) -> tuple[str, ...] | None: ...  # noqa: D102
    @property
    def unit(self) -> str: ...  # noqa: D102


def is_ordered(column: ColumnLike) -> bool:
    """Return whether the values of a column have an order."""
    return column.kind.name not in _UNORDERED


def in_unit(column: ColumnLike) -> str:
    """Return the name of a column with its unit, where it has one."""
    return f"{column.name} [{column.unit}]" if column.unit else column.name
