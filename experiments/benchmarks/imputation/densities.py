"""The log-density of whole rows that were held out, under several choices of families for the same table."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from obsvae.data import Column, Dataset, Kind, load
from obsvae.data.folder import data_folder
from obsvae.data.inspection.lattice import lattice_of
from obsvae.errors import UsageError
from obsvae.experiments.comparison.compare import compare
from obsvae.model import by_column_text

SOURCES: Mapping[str, str] = {"Wine": "hivae/Wine/data.csv", "penguins": "tables/penguins.csv"}
# For the numbers of the third choice; levels keep their families.
_OTHERS = {Kind.POSITIVE: "gamma", Kind.COUNT: "discretised:inner=normal,scale=decoder", Kind.REAL: "student-t"}
NOTE = """\
Nats per row over the test rows. A column whose values lie on a grid counts by the mass of its cells, any other by its
density, under each choice alike: choices compare within a table, and tables not with one another. By its own measures
a column on a grid counts by its density where its family has one, and choices differ in what they add up."""


def densities(*, quick: bool = False, seed: int = 0, progress: bool = True) -> Iterator[list[dict[str, Any]]]:
    """Train and score each choice of families; return the rows of a table as soon as they are there.

    Args:
        quick: train for two epochs, and score few rows.
        seed: of weights, minibatches and particles.
        progress: show a progress bar where standard error is a terminal.

    Raises:
        UsageError: where the data folder lacks a table.
    """
    effort: dict[str, Any] = {"epochs": 2, "limit": 20, "particles": 50} if quick else {"epochs": 200, "limit": 500}
    tables = {name: on_grids(data_folder() / file) for name, file in SOURCES.items()}
    for name, data in tables.items():
        choices = choices_of(data)
        found = compare(
            list(choices.values()),
            data,
            seeds=1,
            latent=8,
            hidden=(128, 128),
            batch_size=100,
            seed=seed,
            progress=progress,
            **effort,
        )
        masses = sum(column.grid is not None for column in data.columns or ())
        titles = {spec: title for title, spec in choices.items()}
        yield [
            {
                "table": name,
                "families": titles[score.observation],
                "log p": score.nats_per_datum,
                "to the best": None if score.difference is None else score.difference.mean,
                "± s.e. (paired)": None if score.difference is None else score.difference.standard_error,
                "columns by mass": masses,
                "by density": len(data.columns or ()) - masses,
                "log p, its own measures": score.own_nats_per_datum,
                "rows": found.n,
            }
            for score in found.scores
        ]


def choices_of(data: Dataset) -> dict[str, str]:
    """Return three choices of families, each as the text of an observation.

    Args:
        data: a table.
    """
    assert data.columns is not None
    others = {column.name: _other(column) for column in data.columns if column.kind in _OTHERS}
    return {"by column": "by-column", "all normal": "normal", "by column, others": by_column_text(others)}


def on_grids(file: Path) -> Dataset:
    """Return a table in which each column with zeros beside a density has a grid, if its values lie on one.

    A density with a mass on 0 is of a measure of its own: without a grid nothing else would compare with it.

    Args:
        file: of the table.

    Raises:
        UsageError: where the file is not there.
    """
    if not file.is_file():
        raise UsageError(f"needs the table {str(file)!r}, which is not there: set OBSVAE_DATA to a folder that has it")
    data = load(file)
    assert data.columns is not None
    mixed = [
        d for d, column in enumerate(data.columns) if column.grid is None and "zero-inflated" in column.observation
    ]
    if not mixed:
        return data
    grids = {}
    for d in mixed:
        lattice = lattice_of(np.unique(np.concatenate([data.split(s)[:, d].numpy() for s in data.rows])))
        if lattice is not None:
            grids[data.columns[d].name] = {"grid": lattice}
    return load(file, schema={"columns": grids})


def _other(column: Column) -> str:
    family = _OTHERS[column.kind]
    return f"zero-inflated:inner={family}" if "zero-inflated" in column.observation else family
