"""What evaluation writes and says: tables, warnings, and files for each datum."""

import csv
import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from command import csv_text
from tabulate import tabulate
from torch import Tensor

from inference import LogLikelihood, Proposal, WeightDiagnostics, save_text

# Draws of each datum in posterior.nc, and about how many values a group of it may hold.
DRAWS, _VALUES = 100, 2_000_000
_REMEDIES = {
    "amortised": "take --proposal refined",
    "refined": "hold them against --proposal ais",
    "ais": "take more --temperatures or --particles",
    "bound": "take more --particles",
}


def table(results: dict[str, dict[str, Any]]) -> str:
    """Return results side by side, with units, and what k̂ warns of below."""
    columns = list(results.values())
    lines = [
        ("log-likelihood", "nats per datum", "{nats_per_datum:.2f}"),
        ("its standard error", "nats per datum", "{standard_error:.2f}"),
        ("bits per dimension", "bits", "{bits_per_dim:.4f}"),
        ("Pareto smoothed (no bound)", "nats per datum", "{smoothed:.2f}"),
        ("jackknife (no bound)", "nats per datum", "{jackknife:.2f}"),
        ("mean log-weight", "nats per datum", "{mean_log_weight:.2f}"),
        ("measure", "in data units", "{measure}"),
        ("data", "", "{n}"),
        ("particles K", "per datum", "{particles}"),
        ("evaluations of p(x, z)", "per datum", "{evaluations:.0f}"),
        ("ESS, median", "of K", "{ess_median:.1f}"),
        ("k̂, median", "", "{khat_median:.2f}"),
        ("k̂ above 0.7", "share of data", "{khat_above_0_7:.3f}"),
        ("flagged", "share of data", "{flagged:.3f}"),
        ("time", "s", "{seconds:.1f}"),
    ]
    # A dot in a field's name would be an attribute to str.format.
    named = [{key.replace(".", "_"): value for key, value in column.items()} for column in columns]
    rows = [[title, unit, *(text.format(**column) for column in named)] for title, unit, text in lines]
    align = ["left", "left", *["right"] * len(columns)]
    return "\n".join(
        [
            tabulate(rows, ["", "unit", *results], disable_numparse=True, colalign=align),
            *(warning(name, column["khat_above_0.7"]) for name, column in results.items()),
        ]
    )


def warning(name: str, share: float) -> str:
    """Return what the share of k̂ above 0.7 says of an estimate."""
    if math.isnan(share):
        return f"warning: {name}: too few particles for k̂: nothing says whether to trust this estimate"
    if share > 0:
        return (
            f"warning: {name}: k̂ > 0.7 for {100 * share:.1f} % of the data: there the estimate is probably too low, by "
            "an unknown amount, whatever its standard error, and more particles hardly help"
        )
    return f"k̂ is at most 0.7 for every datum of {name}: it gives no reason to distrust the estimate"


def doubtful(likelihood: LogLikelihood, is_bound: bool = False) -> list[str]:
    """Return lines that name the data without an estimate, and those whose estimate is not to be trusted.

    Args:
        likelihood: what was estimated.
        is_bound: whether its log-density is random, as with dequantisation, which annealing cannot take.
    """
    lines, weights = [], likelihood.weights
    if len(lost := np.flatnonzero(~weights.usable)):
        lines.append(
            f"warning: no estimate for {indices(lost)}: their weights are NaN, infinite or all 0; their x may be "
            "impossible under the model, or the decoder's outputs not finite; the means are over the others. Look at "
            "these data, take an observation with heavier tails, or train again"
        )
    if len(flagged := np.flatnonzero(weights.flagged & weights.usable)):
        remedy = _REMEDIES["bound" if is_bound and likelihood.proposal == "refined" else likelihood.proposal]
        lines.append(f"flagged (k̂ above 0.7 or unknown, or an ESS below 10): {indices(flagged)}; {remedy}")
    return lines


def indices(which: np.ndarray, most: int = 20) -> str:
    """Return the indices of data in words."""
    more = f" and {len(which) - most} more" if len(which) > most else ""
    return f"datum {', '.join(map(str, which[:most]))}{more}"


def replaced(file: Path, metrics: dict[str, Any]) -> list[str]:
    """Return a line on the metrics that a file holds already, where they were made with other settings."""
    if not file.is_file():
        return []
    try:
        before = json.loads(file.read_text(encoding="utf-8"))
        settings = {key: (before[key], metrics[key]) for key in ("split", "n", "proposal", "particles", "seed")}
    except (ValueError, KeyError, TypeError):
        return [f"note: {file} held no metrics, and was replaced"]
    changed = [f"{key} {old}" for key, (old, new) in settings.items() if old != new]
    return [f"note: these replace the metrics with {', '.join(changed)}"] if changed else []


def data_in_posterior(x: Tensor) -> int:
    """Return of how many data ``posterior.nc`` holds draws: few of large ones, for it holds 100 draws of each."""
    return min(len(x), 200, max(10, _VALUES // (DRAWS * x[0].numel())))


def per_datum_file(run: Path, split: str, proposal: str) -> Path:
    """Return where the estimates of each datum are kept."""
    return run / "likelihood" / f"{split}-{proposal}.csv"


def per_datum_columns(w: WeightDiagnostics) -> dict[str, np.ndarray]:
    """Return what weights tell of each datum, ``(N,)`` by column of the files."""
    columns = {"log_likelihood": w.estimate, "standard_error": w.standard_error, "ess": w.ess, "khat": w.khat}
    return {**columns, "smoothed": w.smoothed, "jackknife": w.jackknife, "flagged": w.flagged.astype(int)}


def save_per_datum(file: Path, likelihood: LogLikelihood, proposal: Proposal) -> Path:
    """Write what is known of each datum, a line each, with how it was estimated."""
    n = len(likelihood.evaluations)
    settings = ", ".join(f"{name}={value}" for name, value in dataclasses.asdict(proposal).items())
    columns = {
        "datum": np.arange(n),
        **per_datum_columns(likelihood.weights),
        "particles": np.full(n, likelihood.particles),
        "evaluations": likelihood.evaluations,
        "proposal": np.full(n, f"{proposal.name}: {settings}" if settings else proposal.name),
    }
    return save_text(
        file, csv_text([dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)])
    )


def read_per_datum(file: Path) -> np.ndarray:
    """Return the estimates of a file, their standard errors, and whether they are flagged, ``(N, 3)``."""
    columns = ("log_likelihood", "standard_error", "flagged")
    try:
        with file.open(encoding="utf-8", newline="") as text:
            found = np.array([[float(row[name]) for name in columns] for row in csv.DictReader(text)])
        if not len(found):
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{file} does not hold estimates by datum; remove it, or make it anew") from None
    return found
