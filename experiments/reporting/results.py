"""The tables of results on a report's page."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations, groupby

import numpy as np

from obsvae.data import Grid
from obsvae.experiments.comparison.rows import data_of
from obsvae.experiments.evaluation.headline import measure_in_words
from obsvae.experiments.evaluation.tables import short
from obsvae.experiments.reporting.page import Table
from obsvae.experiments.reporting.subject import Subject
from obsvae.inference import Difference, amortisation_gap, rank
from obsvae.model import Measure

_COLUMNS = (
    "run: observation",
    "log p(x) ± s.e.",
    "own measure",
    "to the best ± s.e. (paired)",
    "bits/dim",
    "ELBO",
    "amortisation gap",
    "k̂",
    "ESS",
    "flagged",
)


def different(subjects: Sequence[Subject]) -> list[str]:
    """Return a line where not all runs compare."""
    if len({_scale(subject) for subject in subjects}) == 1:
        return []
    text = (
        "the runs are of different data or measures, and stand in tables of their own; densities and masses are ranked "
        "together where the data lie on a grid alone"
    )
    return [text, *_differing_column(subjects)]


def _differing_column(subjects: Sequence[Subject]) -> list[str]:
    """Return a line with an example where runs on the same table differ in the measure of a column."""
    for one, other in combinations(subjects, 2):
        (data, _, mine), (same, _, its) = _scale(one), _scale(other)
        for (column, measure), (_, another) in zip(mine, its, strict=False) if data == same else ():
            if measure != another:
                return [f"column {column!r} is a {measure} in {one.name}, and a {another} in {other.name}"]
    return []


def tables(subjects: Sequence[Subject]) -> list[Table]:
    """Return a table for each measure of the same data, its runs from best to worst."""
    return [_table(data, measure, members) for data, measure, members in groups(subjects)]


def groups(subjects: Sequence[Subject]) -> list[tuple[str, str, dict[str, Subject]]]:
    """Return the runs that compare, by data and measure."""
    return [
        (data, measure, {subject.name: subject for subject in group})
        for (data, measure, _), group in groupby(sorted(subjects, key=_scale), _scale)
    ]


def named(subject: Subject, form: str = "{}: {}") -> str:
    """Return the name of a run with its observation, unless they are the same."""
    name, observation = subject.name, subject.run.config["observation"]
    return name if name == observation else form.format(name, observation)


def _scale(subject: Subject) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """Return the data of a run, and the measure of its numbers, of a table by column: equal where they compare.

    Tables are the same where their entries are, whatever families their schemas name.
    """
    config, columns = subject.run.config, subject.run.data.columns
    measure, measures = subject.judged.headline.measure, subject.model.measures
    if columns is None:
        return data_of(config), measure, ()
    grids = {column.name: column.grid for column in columns}
    # A grid matters where masses of its cells are taken.
    by_column = {name: _in_words(measure, grids[name]) for name, measure in measures.items()}
    data = f"{config['data_name']} (as it is used, SHA-256 {config['data_fingerprint'][:8]})"
    return data, measure, tuple(sorted(by_column.items()))


def _in_words(measure: Measure, grid: Grid | None) -> str:
    """Return the measure of a column, of masses with the step of their cells."""
    cells = "" if grid is None or measure is Measure.LEBESGUE else f" of cells of {grid.step:g} from {grid.low:g}"
    return f"{measure.value}{cells}"


def _table(data: str, measure: str, members: Mapping[str, Subject]) -> Table:
    ranking = ranking_of(members)
    # A table has a grid for some of its columns, or none; its measure says so.
    on_grid = any(s.judged.headline.own is not None and not s.model.measures for s in members.values())
    title = f"{measure.capitalize()} of {'the grid cells of ' if on_grid else ''}{data}"
    first = next(iter(members.values())).judged.summary
    rows = [_row(members[name], difference) for name, difference in ranking.items()]
    about = f"{first['particles']} particles for each of {first['n']} data"
    return Table(f"{title}: nats per datum; {about}.", _COLUMNS, rows)


def ranking_of(members: Mapping[str, Subject]) -> dict[str, Difference]:
    """Return differences to the best over the data that all of the runs have an estimate for."""
    usable = np.logical_and.reduce([subject.refined.weights.usable for subject in members.values()])
    if not usable.any():
        return dict.fromkeys(members, Difference(math.nan, math.nan))
    return rank({name: [subject.refined.weights.estimate[usable]] for name, subject in members.items()})


def _row(subject: Subject, difference: Difference) -> list[str]:
    summary, own = subject.judged.summary, subject.judged.own
    beside = "–"
    if own is not None and subject.judged.headline.own is not None:
        beside = f"{measure_in_words(subject.judged.headline.own)} {short(own['nats_per_datum'], '.2f')}"
    gaps = np.array([])
    if subject.amortised is not None:
        gaps = amortisation_gap(subject.refined.weights, subject.amortised.weights)
        gaps = gaps[np.isfinite(gaps)]
    return [
        named(subject),
        f"{short(summary['nats_per_datum'], '.2f')} ± {short(summary['standard_error'], '.2f')}",
        beside,
        f"{short(difference.mean, '.2f')} ± {short(difference.standard_error, '.2f')}",
        short(summary["bits_per_dim"], ".3f"),
        short(summary["elbo"], ".2f"),
        short(float(gaps.mean()) if len(gaps) else None, ".2f"),
        short(summary["khat_median"], ".2f"),
        short(summary["ess_median"], ".0f"),
        f"{summary['flagged']:.1%}",
    ]
