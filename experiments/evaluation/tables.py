"""Results side by side."""

import math
from collections.abc import Mapping
from typing import Any

from tabulate import tabulate

from obsvae.inference import KHAT_LIMIT

_LINES = (
    ("log-likelihood", "nats per datum", "nats_per_datum", ".2f"),
    ("its standard error", "nats per datum", "standard_error", ".2f"),
    ("bits per dimension", "bits", "bits_per_dim", ".4f"),
    ("ELBO of the guide", "nats per datum", "elbo", ".2f"),
    ("Pareto smoothed (no bound)", "nats per datum", "smoothed", ".2f"),
    ("jackknife (no bound)", "nats per datum", "jackknife", ".2f"),
    ("mean log-weight", "nats per datum", "mean_log_weight", ".2f"),
    ("measure", "in data units", "measure", ""),
    ("data", "", "n", ""),
    ("particles K", "per datum", "particles", ""),
    ("evaluations of p(x, z)", "per datum", "evaluations", ".0f"),
    ("ESS, median", "of K", "ess_median", ".1f"),
    ("k̂, median", "", "khat_median", ".2f"),
    (f"k̂ above {KHAT_LIMIT}", "share of data", f"khat_above_{KHAT_LIMIT}", ".3f"),
    ("flagged", "share of data", "flagged", ".3f"),
    ("time", "s", "seconds", ".1f"),
)


def table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return summaries side by side, by name, with units; a line that none of them has is left out."""
    rows = [
        [title, unit, *(short(column.get(key), digits) for column in results.values())]
        for title, unit, key, digits in _LINES
        if any(key in column for column in results.values())
    ]
    align = ["left", "left", *["right"] * len(results)]
    return tabulate(rows, ["", "unit", *results], disable_numparse=True, colalign=align)


def short(value: object, digits: str = ".4g") -> str:
    """Return a number in the format ``digits``, a dash for None and NaN, and anything else as it is."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return f"{value:{digits}}" if isinstance(value, float) else str(value)
