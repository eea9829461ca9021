"""A number of a published table beside ours, and how they are shown."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from tabulate import tabulate

from obsvae.experiments.csv_files import csv_text


@dataclass(frozen=True)
class Row:
    """A number beside the published one.

    Attributes:
        table: the published table.
        data: on which data.
        method: which row of it, or which of ours beside it.
        quantity: what the number is, with its unit.
        theirs: the published number; None where it has none.
        ours: what came out here.
        error: its standard error over data; None where there is none.
        seconds: that it took, training among them.
        note: how long it was trained, and what else differs.
    """

    table: str
    data: str
    method: str
    quantity: str
    theirs: float | None
    ours: float
    error: float | None
    seconds: float
    note: str = ""


def text_of(rows: Sequence[Row], *, markdown: bool = False) -> str:
    """Return rows of one published table as a table."""
    shown = [
        {
            "data": row.data,
            "method": row.method,
            "quantity": row.quantity,
            "theirs": "–" if row.theirs is None else f"{row.theirs:.2f}",
            "ours": f"{row.ours:.2f}" + ("" if row.error is None else f" ± {row.error:.2f}"),
            "seconds": f"{row.seconds:,.0f}",
            "note": row.note,
        }
        for row in rows
    ]
    return tabulate(shown, "keys", tablefmt="github" if markdown else "simple", disable_numparse=True)


def lines_of(rows: Sequence[Row]) -> str:
    """Return rows as comma-separated text with a header, in full."""
    return csv_text([asdict(row) for row in rows])
