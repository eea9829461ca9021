"""Tables as comma-separated text."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from obsvae.data.tables.formulas import escaped, unescaped


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows with the same keys as comma-separated text with a header, in which no text is a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(escaped, rows[0]))
    writer.writerows([escaped(value) if isinstance(value, str) else value for value in row.values()] for row in rows)
    return text.getvalue()


def columns_text(columns: Mapping[str, Sequence[float] | np.ndarray]) -> str:
    """Return columns of the same length as comma-separated text with a header."""
    return csv_text([dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)])


def read_columns(file: Path) -> dict[str, np.ndarray]:
    """Return the columns of a file of numbers."""
    with file.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    return {unescaped(name): np.array([float(row[name]) for row in rows]) for name in rows[0]}
