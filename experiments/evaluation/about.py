"""What files and messages say of the data that are scored."""

import json

import numpy as np

from obsvae.data import Dataset
from obsvae.experiments.evaluation.headline import Headline
from obsvae.experiments.runs.run import Run


def about_data(run: Run, split: str, headline: Headline) -> dict[str, str | float]:
    """Return what ``posterior.nc`` says of its data and numbers: where they come from, their bounds and their grid.

    Of a table ``columns`` holds each column as JSON, by name: its kind, unit, levels, bounds and grid; ``conditions``
    is a list of what is given, in the order of the numbers that networks see.
    """
    data, name = run.data, run.config["observation"]
    about: dict[str, str | float] = {
        "observation": f"{name} ({headline.name})" if headline.name else name,
        "data": data.name,
        "data_sha256": data.sha256,
        "split": split,
    }
    if data.conditions:
        about["conditions"] = json.dumps([one.to_json() for one in data.conditions], ensure_ascii=False)
    if data.bounds is not None:
        about |= {"bounds_low": data.bounds[0], "bounds_high": data.bounds[1]}
    if data.grid is not None:
        about |= {"grid_low": data.grid.low, "grid_step": data.grid.step}
        if data.grid.levels is not None:
            about["grid_levels"] = data.grid.levels
    if data.columns is not None:
        columns = {column.name: column.to_json() for column in data.columns}
        about["columns"] = json.dumps(columns, ensure_ascii=False)
    return about


def column_names(data: Dataset) -> list[str] | None:
    """Return the names of a table's columns; None for other data."""
    return None if data.columns is None else [column.name for column in data.columns]


def called(data: Dataset, rows: np.ndarray) -> np.ndarray:
    """Return what messages call rows of the source ``(N,)``: their names where they have any, or their numbers."""
    return rows if data.row_names is None else np.array(data.row_names, dtype=object)[rows]
