"""What ``metrics.json`` holds."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from obsvae.experiments.evaluation.findings import Finding
from obsvae.experiments.evaluation.judged import Judged
from obsvae.experiments.evaluation.per_datum import settings_of
from obsvae.experiments.runs.run import Run
from obsvae.inference import Proposal
from obsvae.model import Measure


def metrics_of(
    run: Run, found: Mapping[str, Judged], best: Judged, split: str, proposal: Proposal, seed: int
) -> dict[str, Any]:
    """Return what ``metrics.json`` holds."""
    metrics = {
        "observation": run.config["observation"],
        "parameters": run.model.observation.describe(),
        "data": run.config["data"],
        "split": split,
        "proposal": proposal.name,
        "proposal_settings": settings_of(proposal),
        "seed": seed,
        "unit": "nats per datum, in data units",
        "training": run.config["outcome"],
    }
    if measures := best.headline.model.measures:
        metrics["measure_by_column"] = {name: measure.value for name, measure in measures.items()}
    if not best.headline.name:
        return metrics | best.metrics()
    # A loss has no likelihood of its own.
    known = {"measure": Measure.NONE.value, "n": best.summary["n"], "particles": best.summary["particles"]}
    corrections = {how: one.metrics() for how, one in found.items()}
    return {**metrics, **dict.fromkeys(best.metrics()), **known, "corrections": corrections}


def replaced(file: Path, metrics: Mapping[str, Any]) -> list[Finding]:
    """Return a note on the metrics that a file holds already, where they were made with other settings."""
    if not file.is_file():
        return []
    try:
        before = json.loads(file.read_text(encoding="utf-8"))
        settings = {key: (before[key], metrics[key]) for key in ("split", "n", "proposal", "particles", "seed")}
    except (ValueError, KeyError, TypeError):
        return [Finding("replaced", f"{file} held no metrics, and was replaced")]
    changed = [f"{key} {old}" for key, (old, new) in settings.items() if old != new]
    return [Finding("replaced", f"these replace the metrics with {', '.join(changed)}")] if changed else []
