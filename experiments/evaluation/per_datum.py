"""Estimates datum by datum, in files that can be joined to the rows of the data."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path

import numpy as np

from obsvae.errors import UsageError
from obsvae.experiments.csv_files import columns_text
from obsvae.experiments.files import save_text
from obsvae.inference import LogLikelihood, Proposal, WeightDiagnostics


@dataclass(frozen=True)
class Estimates:
    """What a file holds of each datum.

    Attributes:
        rows: of the data in their source, ``(N,)``.
        log_likelihood: in nats, ``(N,)``.
        standard_error: of its particles, ``(N,)``.
        flagged: whether it is not to be trusted, ``(N,)``.
        measure: of the numbers.
        proposal: where the particles came from, with its settings.
    """

    rows: np.ndarray
    log_likelihood: np.ndarray
    standard_error: np.ndarray
    flagged: np.ndarray
    measure: str
    proposal: str = ""


def per_datum_file(run: Path, split: str, proposal: str) -> Path:
    """Return where a run keeps the estimates of each datum of a split."""
    return run / "likelihood" / f"{split}-{proposal}.csv"


def per_datum_columns(w: WeightDiagnostics) -> dict[str, np.ndarray]:
    """Return what weights tell of each datum, ``(N,)`` by column of the files."""
    columns = {"log_likelihood": w.estimate, "standard_error": w.standard_error, "ess": w.ess, "khat": w.khat}
    return {**columns, "smoothed": w.smoothed, "jackknife": w.jackknife, "flagged": w.flagged.astype(int)}


def save_per_datum(file: Path, likelihood: LogLikelihood, rows: np.ndarray, measure: str, proposal: Proposal) -> Path:
    """Write a line for each datum: its row in the source, its estimate, how good that is, and how it was made."""
    n = len(likelihood.evaluations)
    settings = ", ".join(f"{name}={value}" for name, value in settings_of(proposal).items())
    columns = {
        "datum": np.arange(n),
        "row": rows,
        **per_datum_columns(likelihood.weights),
        "particles": np.full(n, likelihood.particles),
        "evaluations": likelihood.evaluations,
        "measure": np.full(n, measure),
        "proposal": np.full(n, f"{proposal.name}: {settings}" if settings else proposal.name),
    }
    return save_text(file, columns_text(columns))


def read_per_datum(file: Path) -> Estimates:
    """Return the estimates of a file that :func:`save_per_datum` wrote.

    Raises:
        UsageError: for a file that is none.
    """
    try:
        with file.open(encoding="utf-8", newline="") as text:
            lines = list(csv.DictReader(text))
        ((measure, proposal),) = {(line["measure"], line["proposal"]) for line in lines}
        columns = ("log_likelihood", "standard_error", "flagged")
        found = np.array([[float(line[name]) for name in columns] for line in lines])
        rows = np.array([int(line["row"]) for line in lines])
    except (KeyError, TypeError, ValueError):
        raise UsageError(f"{file} does not hold estimates by datum; remove it, or make it anew") from None
    return Estimates(rows, found[:, 0], found[:, 1], found[:, 2] > 0, measure, proposal)


def settings_of(proposal: Proposal) -> dict[str, object]:
    """Return the settings of a proposal: the fields of a dataclass; another class has none that are known.

    What JSON does not know, such as a tensor, stands as its ``repr`` in one line.
    """
    return {f.name: _plain(getattr(proposal, f.name)) for f in fields(proposal)} if is_dataclass(proposal) else {}


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return " ".join(repr(value).split())
