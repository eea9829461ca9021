"""Verdicts as tables: how many estimates are missed, by group."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tabulate import tabulate

from obsvae.experiments.benchmarks.trust.adversarial import Tried
from obsvae.experiments.benchmarks.trust.verdicts import WRONG_NATS, Verdicts

COUNTED = f"""\
Missed: an estimate more than {WRONG_NATS:g} nats from log p(x) by quadrature that is not flagged; too low and too high
are its two parts. Worst unflagged: estimate less log p(x), in nats. Evaluations: of p(x, z), for each datum."""
# Numbers of other columns are per cents.
_FORMATS = {"worst unflagged": ".3g", "evaluations": ".0f"}


def groups_of(verdicts: Verdicts, *columns: str) -> dict[tuple[Any, ...], Verdicts]:
    """Return the verdicts by the values of some of their columns, in the order in which these come first."""
    keys = list(zip(*(getattr(verdicts, column).tolist() for column in columns), strict=True))
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    group = np.array([numbers[key] for key in keys])
    return {key: verdicts.select(group == number) for key, number in numbers.items()}


def rows_by(verdicts: Verdicts, column: str | None = None) -> list[dict[str, Any]]:
    """Return a row for each value of a column and each method, or for each method alone."""
    if column is None:
        return [{"method": method, **group.counts()} for (method,), group in groups_of(verdicts, "method").items()]
    found = groups_of(verdicts, column, "method").items()
    return [{column: value, "method": method, **group.counts()} for (value, method), group in found]


def cells(verdicts: Verdicts, rows: str, columns: str) -> list[dict[str, Any]]:
    """Return the share of missed estimates in per cent, a row for each value of one column, by those of another."""
    return [
        {rows: row, **{name: group.counts()["missed %"] for (name,), group in groups_of(part, columns).items()}}
        for (row,), part in groups_of(verdicts, rows).items()
    ]


def report(tried: Tried, title: str, by: Mapping[str, str], crossed: tuple[str, str]) -> str:
    """Return what a benchmark has found, as text: all estimates, parts of them, and missed ones by two columns.

    Args:
        tried: what it has found.
        title: of the whole.
        by: the columns by which parts are told, with their titles.
        crossed: the two columns.
    """
    verdicts = tried.verdicts
    counted = f"{COUNTED}\nData whose log p(x) quadrature could not settle, left out: {tried.left_out}."
    sections = [f"== {title} ==", counted, _table(rows_by(verdicts))]
    for column, words in by.items():
        sections += [f"{words}:", _table(rows_by(verdicts, column))]
    for (method,), group in groups_of(verdicts, "method").items():
        sections += [f"Missed %, {method}, by {' and '.join(crossed)}:", _table(cells(group, *crossed))]
    return "\n\n".join(sections)


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    return tabulate(rows, "keys", floatfmt=[_FORMATS.get(name, ".1f") for name in rows[0]], missingval="–")
