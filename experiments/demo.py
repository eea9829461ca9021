"""What the demo shows of each run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

COLUMNS = {
    "nats_per_datum": "log p(x)",
    "standard_error": "± s.e.",
    "bits_per_dim": "bits/dim",
    "ess_median": "ESS",
    "khat_median": "k̂",
    "khat_above_0.7": "k̂ > 0.7",
}


def first_free(path: Path) -> Path:
    """Return the path, or the first of path-2, path-3, … that does not exist."""
    candidates = (path if n == 1 else path.with_name(f"{path.name}-{n}") for n in range(1, 10_000))
    return next(candidate for candidate in candidates if not candidate.exists())


def result_rows(name: str, data: str, metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a run: one, or one for each correction of an unnormalised loss.

    Args:
        name: of the observation.
        data: in words.
        metrics: what ``metrics.json`` holds.
    """
    scored = metrics.get("corrections")
    named = {name: metrics} if scored is None else {f"{name}, {how}": found for how, found in scored.items()}
    return [
        {"observation": title, "data": data, "measure": m["measure"], **{COLUMNS[key]: m[key] for key in COLUMNS}}
        for title, m in named.items()
    ]
