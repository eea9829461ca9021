"""Rows of a table in the words of the user, as cells of the page."""

from collections.abc import Sequence

import numpy as np

from obsvae.data import Column
from obsvae.data.tables.decode import decoded
from obsvae.errors import UsageError
from obsvae.experiments.evaluation.tables import short
from obsvae.experiments.reporting.subject import Subject

# More columns of data than this stand on no page.
MOST = 40


def columns_of(subject: Subject) -> Sequence[Column]:
    """Return the columns of a run's table."""
    columns = subject.run.data.columns
    if columns is None:
        raise UsageError(f"{subject.run.data.name} is no table")
    return columns


def heads(columns: Sequence[Column]) -> list[str]:
    """Return the names of columns with their units, of the first 40."""
    return [f"{column.name} [{column.unit}]" if column.unit else column.name for column in columns[:MOST]]


def texts(x: np.ndarray, columns: Sequence[Column], digits: int = 6) -> list[list[str]]:
    """Return the cells of data ``(N, D)``: levels by their texts, numbers in some digits, a dash where missing."""
    shown = columns[:MOST]
    values = decoded(x[:, : len(shown)], shown).values()
    return [[short(value, f".{digits}g") for value in row] for row in zip(*values, strict=True)]


def beside(one: Sequence[Sequence[str]], other: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return cells with others in brackets."""
    return [[f"{a} ({b})" for a, b in zip(*rows, strict=True)] for rows in zip(one, other, strict=True)]
