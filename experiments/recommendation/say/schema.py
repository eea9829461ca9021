"""The schema of a table with what is recommended for each column, and why."""

import math
from collections.abc import Mapping
from dataclasses import replace

from obsvae.data import Column, Dataset, Grid, Kind
from obsvae.data.tables.schemas.complete import complete
from obsvae.data.tables.schemas.families import LEVELS, kind_of, needs_bounds
from obsvae.data.tables.schemas.schema import ColumnSchema, Schema, schema_from
from obsvae.data.tables.schemas.toml import to_toml
from obsvae.errors import UsageError
from obsvae.experiments.recommendation.results import Answer, Recommendation
from obsvae.experiments.recommendation.say.answers import say
from obsvae.experiments.recommendation.say.looks import measure_words
from obsvae.experiments.verdicts.words import capital

_ABOVE = (
    "# The columns of {data}, each with the observation that is recommended for it.",
    "# Its role is observe, condition, offset, label, ignore or split;",
    "# obsvae train --observation help lists the observations.",
)


def schema_text(recommendation: Recommendation, data: Dataset) -> str:
    """Return the schema in TOML, with the reason for each choice as a comment.

    Args:
        recommendation: of the table.
        data: the table.

    Raises:
        UsageError: for data that are no table, or a recommendation for another one.
    """
    answers = {answer.question.name: answer for answer in recommendation.answers}
    comments = {name: _comment(answer) for name, answer in answers.items()}
    data_name = "".join(c if c.isprintable() else " " for c in recommendation.data)
    above = [line.format(data=data_name) for line in _ABOVE]
    return "\n".join(above) + "\n" + to_toml(recommended_schema(answers, data), comments)


def recommended_schema(answers: Mapping[str, Answer], data: Dataset) -> Schema:
    """Return the schema of a table, with the answer for each column that has one."""
    if data.columns is None or data.schema is None:
        raise UsageError(f"a schema goes with a table, but {data.name!r} is none: train it with --observation")
    columns = {column.name: column for column in data.columns}
    if unknown := [name for name in answers if name not in columns]:
        raise UsageError(f"the recommendation speaks of column {unknown[0]!r}, which {data.name!r} lacks")
    schema = schema_from(data.schema)
    said = dict(schema.columns)
    for name, column in columns.items():
        said[name] = _said(column, answers.get(name))
    return replace(schema, columns=said)


def _said(column: Column, answer: Answer | None) -> ColumnSchema:
    """Return all that is to be said of a column; its grid where the ranking was by the masses of its cells."""
    said = complete(column)
    if answer is None:
        return said
    winner, grid = answer.winner, answer.question.grid
    if kind_of(winner) in LEVELS:
        # A column of numbers becomes one of levels, and the values tell how many.
        text = winner if column.levels is not None else _without_categories(winner)
        return replace(said, observation=text, bounds=None, grid=None)
    if column.levels is not None:
        return replace(said, observation=winner, levels=None)
    ends = _ends(answer) if said.bounds is None and needs_bounds(winner) else said.bounds
    return replace(said, observation=winner, bounds=ends, grid=False if grid is None else _grid(grid))


def _ends(answer: Answer) -> tuple[float, float] | None:
    """Return the bounds that nobody has declared: a turn in radians, the ends of the grid, or 0 and 1."""
    grid, look = answer.question.grid, answer.question.look
    if kind_of(answer.winner) is Kind.ANGLE:
        return -math.pi, math.pi
    if grid is not None and grid.high is not None:
        return grid.low, grid.high
    return (0.0, 1.0) if look.low >= 0 and look.high <= 1 else None


def _without_categories(observation: str) -> str:
    name, _, options = observation.partition(":")
    kept = [option for option in options.split(",") if option and not option.strip().startswith("categories=")]
    return f"{name}:{','.join(kept)}" if kept else name


def _grid(grid: Grid) -> tuple[float | None, float]:
    return (None if (grid.low / grid.step).is_integer() else grid.low, grid.step)


def _comment(answer: Answer) -> str:
    """Return why a column has its observation, a line for each reason."""
    said = say(answer)
    reason = next((one.candidate.reason for one in answer.contenders if one.candidate.observation == answer.winner), "")
    lines = [capital(said.sentence), reason, f"Ranked by {measure_words(answer.question)}"]
    lines += [f"Even so: {text}" for text in said.misfits]
    lines += [f"In doubt: {text}" for text in said.doubts]
    return "\n".join(" ".join(line.split()) for line in lines if line)
