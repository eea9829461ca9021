"""Columns as a model sees them, from all that a schema can say of them."""

import numpy as np

from obsvae.data.checks import EXACT
from obsvae.data.columns import Column, Kind
from obsvae.data.grid import Grid
from obsvae.data.inspection.lattice import lattice_of
from obsvae.data.tables.guessing.levels import levels_of
from obsvae.data.tables.parsed import Parsed
from obsvae.data.tables.schemas.families import FOR_LEVELS, LEVELS, innermost, kind_of, needs_bounds
from obsvae.data.tables.schemas.schema import ColumnSchema, Schema
from obsvae.errors import UsageError

NEAR = 1e-6  # of a step
OFF = 1e-3  # of a step: rounding errors, such as of 0.1 in float32, are less


def columns_of(schema: Schema) -> tuple[Column, ...]:
    """Return the observed columns of a complete schema, of which no data need to tell any more.

    Raises UsageError where the schema is not complete.
    """
    made = []
    for name, said in schema.columns.items():
        if said.role not in (None, "observe"):
            continue
        where = f"{schema.source}, column {name!r}"
        if said.observation is None:
            raise UsageError(
                f"{where}: rows are encoded by a complete schema, which has an observation for each column; take that "
                "which stored_table returns"
            )
        kind = kind_of(said.observation) or (Kind.REAL if said.levels is None else Kind.CATEGORY)
        made.append(make_column(name, kind, said.observation, said, None, where))
    return tuple(made)


def make_column(
    name: str, kind: Kind, observation: str, said: ColumnSchema, values: Parsed | None, where: str
) -> Column:
    """Return a column as a model sees it; raise UsageError where what is declared does not fit together.

    Args:
        name: of the column.
        kind: what its values are.
        observation: the text of its family.
        said: what is declared beside that.
        values: which tell levels and a grid that are not declared; None for those of a complete schema.
        where: what to call the column in messages.

    """
    if kind in LEVELS:
        return _of_levels(name, kind, observation, said, values, where)
    if said.levels is not None:
        raise UsageError(
            f"{where}: levels go with {', '.join(FOR_LEVELS.values())}, but {observation} is for numbers: leave them "
            "out, or take one of these families"
        )
    if said.bounds is None and needs_bounds(observation):
        raise UsageError(
            f"{where}: {innermost(observation)} needs bounds, the least and the greatest value that are possible: add "
            "bounds = [low, high]"
        )
    grid = _grid(kind, said, values)
    is_whole = values.is_whole if values is not None else grid is not None and _has_whole_numbers(grid)
    return Column(name, kind, observation, said.bounds, grid, None, said.unit, is_whole)


def complete(column: Column) -> ColumnSchema:
    """Return all that a schema can say of an observed column."""
    grid: tuple[float | None, float] | bool | None = None
    if column.levels is None:
        grid = False
    if column.levels is None and column.grid is not None:
        low, step = column.grid.low, column.grid.step
        grid = (None if (low / step).is_integer() else low, step)
    return ColumnSchema(column.observation, column.bounds, grid, column.levels, column.unit, "observe")


def _of_levels(
    name: str, kind: Kind, observation: str, said: ColumnSchema, values: Parsed | None, where: str
) -> Column:
    levels = said.levels or (None if values is None else levels_of(values))
    for key, value in {"bounds": said.bounds, "grid": said.grid}.items():
        if value:
            raise UsageError(f"{where}: {key} goes with numbers, but {observation} is for levels: leave it out")
    if levels is None:
        raise UsageError(f"{where}: {observation} needs levels in a complete schema: add levels = [...]")
    if kind is Kind.BINARY and len(levels) != 2:
        raise UsageError(
            f"{where}: {observation} needs two levels, but there are {len(levels)}: take categorical, or declare both "
            "with levels = [...]"
        )
    return Column(name, kind, observation, grid=Grid(0.0, 1.0, len(levels)), levels=levels, unit=said.unit)


def _grid(kind: Kind, said: ColumnSchema, values: Parsed | None) -> Grid | None:
    if isinstance(said.grid, tuple):
        low, step = said.grid
        if low is None:
            low = 0.0 if values is None else _phase(values, step)
    elif said.grid is None and values is not None and _are_whole(values):
        low, step = 0.0, 1.0
    else:
        return None
    # The cells of the ends hold what lies beyond; a circle has none.
    if said.bounds is not None and kind is not Kind.ANGLE:
        return Grid(low, step, None).between(said.bounds)
    return Grid(low, step, None)


def _are_whole(values: Parsed) -> bool:
    """Return whether the numbers are whole, and float32 holds each."""
    numbers = values.distinct[0]
    return values.is_whole and len(numbers) > 0 and max(-numbers[0], numbers[-1]) <= EXACT


def _phase(values: Parsed, step: float) -> float:
    """Return a value of the lattice with this step that the numbers lie on; 0 where it is one, or they lie on none."""
    numbers = values.distinct[0]
    if not len(numbers):
        return 0.0
    found = lattice_of(numbers)  # knows the decimals that rounded numbers come from
    phase = float(numbers[0] if found is None else found[0]) % step
    steps = (numbers - phase) / step
    is_zero = min(phase, step - phase) < NEAR * step
    return 0.0 if is_zero or (np.abs(steps - np.rint(steps)) > OFF).any() else phase


def _has_whole_numbers(grid: Grid) -> bool:
    return float(grid.step).is_integer() and float(grid.low).is_integer()
