"""The results of the imputation benchmark as text and as lines of a file."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from tabulate import tabulate

from obsvae.experiments.benchmarks.imputation.run import Result
from obsvae.experiments.csv_files import csv_text

EXPLAINED = """\
Error over hidden entries, its mean over columns, then over lists: share of wrong levels; |x - x̂| / number of levels
where they have an order; of numbers root mean squared error / (max - min). Every row is trained on: this is no test of
new rows. Rows that are there twice make the errors of all methods smaller."""


def rows_of(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return a row for each table and rate: the error of each method, and its seconds for a list of hidden entries."""
    cells = dict.fromkeys((result.table, result.rate) for result in results)
    methods = dict.fromkeys(result.method for result in results)
    rows = []
    for table, rate in cells:
        of = {name: [r for r in results if (r.table, r.rate, r.method) == (table, rate, name)] for name in methods}
        errors = {name: float(np.mean([result.error for result in found])) for name, found in of.items()}
        seconds = {f"s, {name}": float(np.mean([result.seconds for result in found])) for name, found in of.items()}
        rows.append({"table": table, "hidden %": rate, "lists": len(next(iter(of.values()))), **errors, **seconds})
    return rows


def text_of(results: Sequence[Result], *, notes: bool = True) -> str:
    """Return the errors and seconds as a table, and what the VAE has chosen for each list where that is wanted."""
    rows = rows_of(results)
    formats = [".1f" if key.startswith("s, ") else ".3f" for key in rows[0]]
    said = [f"{r.table}, {r.rate} % hidden, list {r.mask}: {r.method}, {r.note}" for r in results if r.note and notes]
    return "\n".join([tabulate(rows, "keys", floatfmt=formats), *said])


def lines_of(results: Sequence[Result]) -> str:
    """Return comma-separated text with a line for each table, rate, list, method and column."""
    return csv_text(
        [
            {
                "table": result.table,
                "hidden_percent": result.rate,
                "list": result.mask,
                "method": result.method,
                "column": column,
                "error": error,
                "seconds": result.seconds,
                "note": result.note,
            }
            for result in results
            for column, error in zip(result.columns, result.errors.tolist(), strict=True)
        ]
    )
