"""The schema of a table with what is recommended for each column, and why."""

from collections.abc import Mapping
from dataclasses import replace

from obsvae.data import Column, Dataset, Grid
from obsvae.data.tables.schemas.complete import complete
from obsvae.data.tables.schemas.families import LEVELS, kind_of
from obsvae.data.tables.schemas.schema import ColumnSchema, Schema, schema_from
from obsvae.data.tables.schemas.toml import to_toml
from obsvae.errors import UsageError
from obsvae.experiments.recommendation.results import Answer, Recommendation
from obsvae.experiments.recommendation.say.answers import say
from obsvae.experiments.recommendation.say.looks import measure_words
from obsvae.experiments.verdicts.words import capital

_ABOVE = (
    "# The columns of {data}, each with the observation that is recommended for it.",
    "# Its role is observe, label, ignore or split; obsvae train --observation help lists the observations.",
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
    kind = kind_of(answer.winner)
    if kind in LEVELS:
        return replace(said, observation=answer.winner, bounds=None, grid=None)
    grid = said.grid if answer.question.grid is None else _grid(answer.question.grid)
    return replace(said, observation=answer.winner, levels=None, grid=grid)


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
