"""Which kinds of columns are drawn how."""

from collections.abc import Mapping

import numpy as np

from obsvae.inference.columns import ColumnLike
from obsvae.inference.figures.columns.levels import Levels
from obsvae.inference.figures.columns.numbers import Angles, Counts, Numbers
from obsvae.inference.figures.columns.view import View

VIEWS: Mapping[str, type[View]] = {
    "ANGLE": Angles,
    "COUNT": Counts,
    "BINARY": Levels,
    "CATEGORY": Levels,
    "ORDINAL": Levels,
}


def view_of(column: ColumnLike, observed: np.ndarray, drawn: np.ndarray | None = None) -> View:
    """Return how the values of a column are drawn."""
    return VIEWS.get(column.kind.name, Numbers)(column, observed, drawn)
