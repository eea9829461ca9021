"""The tables and figures of a comparison."""

import math
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from candidate import read_curve, read_result, read_scores, scored_as
from command import csv_text
from tabulate import tabulate

from data import Dataset
from inference import (
    KHAT_LIMIT,
    Curve,
    Difference,
    load_config,
    plot_learning,
    plot_ranking,
    rank,
    save_figure,
    save_text,
    spread,
)
from model import Measure, Observation, require_one_dataset

_RESULT_KEYS = (
    "rank",
    "observation",
    "log p",
    "to the best",
    "± s.e. (paired)",
    "bits/dim",
    "sd over seeds",
    "ESS",
    "k̂",
    f"k̂ > {KHAT_LIMIT}",
    "its own measure",
    "log p, its own",
)
_LEARNING_KEYS = (
    "observation",
    "parameters",
    "s to train",
    "epochs to 1 % of best",
    "s to 1 % of best",
    "best epoch",
    "diverged",
)


@dataclass(frozen=True)
class Row:
    """One line of the tables: a candidate, or one of the likelihoods that a loss is scored under.

    Attributes:
        name: of the candidate, with what it is scored as.
        folders: its finished runs.
        results: what they left.
        note: what went wrong, or what to know.
        suffix: which of the scores.
        diverged: share of its seeds.
        is_beyond: whether it is a mass that takes values beyond the data's grid, too.
    """

    name: str
    folders: list[Path]
    results: list[dict[str, Any]]
    note: str
    suffix: str = ""
    diverged: float = 0.0
    is_beyond: bool = False

    def common(self) -> list[np.ndarray]:
        """Return the scores of each datum on the common scale, for each seed."""
        return [read_scores(folder)[f"common{self.suffix}"] for folder in self.folders]

    def own(self, key: str) -> Any:
        """Return something that all seeds' own scores share, such as their measure."""
        return self.results[0]["scores"][self.suffix]["own"][key]

    def values(self, scale: str, key: str) -> list[float]:
        """Return a number of each seed's summary; what was NaN is NaN again."""
        found = [result["scores"][self.suffix][scale][key] for result in self.results]
        return [math.nan if value is None else value for value in found]


def folder_of(out: Path, spec: str, seed: int) -> Path:
    """Return the run folder of a candidate with a seed."""
    return out / re.sub(r"[^A-Za-z0-9.=-]+", "_", spec) / f"seed-{seed}"


def rows_of(
    spec: str, seeds: Sequence[int], out: Path, observation: Observation, data: Dataset, refused: Mapping[str, str]
) -> list[Row]:
    """Return the rows of a candidate: one for each likelihood that it is scored under."""
    if spec in refused:
        return [Row(spec, [], [], f"not trained: {refused[spec]}")]
    found = {folder: read_result(folder) or {} for folder in (folder_of(out, spec, seed) for seed in seeds)}
    ended = {folder: result for folder, result in found.items() if "scores" in result}
    failures = [result["message"] for result in found.values() if "message" in result]
    diverged = sum(str(result.get("status")).startswith("diverged") for result in found.values()) / len(found)
    note = f"{len(failures)} of {len(found)} seeds: {failures[0]}" if failures else ""
    is_beyond = _takes_beyond(observation, data)
    if observation.is_bound:
        note = "; ".join(filter(None, [note, "log p, its own, is a lower bound of the mass"]))
    return [
        Row(f"{spec}{suffix}", list(ended), list(ended.values()), note, suffix, diverged, is_beyond)
        for suffix in scored_as(observation)
    ]


def _takes_beyond(observation: Observation, data: Dataset) -> bool:
    if data.grid is None or observation.measure is not Measure.COUNTING:
        return False
    next_value = data.grid.low + data.grid.levels * data.grid.step
    return bool(observation.inside(torch.full((1, *data.event_shape), next_value)).all())


def report(out: Path, rows: Sequence[Row], data: Dataset, at_once: int) -> None:
    """Write and print the tables, and draw the figures."""
    ended = {row.name: row for row in rows if row.results}
    if not ended:
        raise ValueError("no candidate came to an end: " + "; ".join(f"{row.name}: {row.note}" for row in rows))
    require_one_dataset({str(folder): data_of(folder) for row in ended.values() for folder in row.folders})
    ranking = rank({name: row.common() for name, row in ended.items()})
    ordered = [ended[name] for name in ranking] + [row for row in rows if not row.results]
    curves = {row.name: [read_curve(folder, row.suffix) for folder in row.folders] for row in ordered}
    seeds = max(len(row.results) for row in ordered)
    best = ordered[0]
    scale = "mass of the grid cell" if data.grid is not None else f"{best.own('measure')} in data units"
    results = [result_of(row, place, ranking.get(row.name)) for place, row in enumerate(ordered, 1)]
    learning = [learning_of(row, curves[row.name]) for row in ordered]
    n = best.results[0]["scores"][best.suffix]["common"]["n"]
    titles = (
        f"Ranked by {scale}: nats per datum, means over {n} test data and {seeds} seed{'s' if seeds > 1 else ''}",
        "Does learning get harder? Validation on the same scale",
    )
    remarks = [*warnings(ordered), "The weights are those of the epoch that is best by a candidate's own objective."]
    if beyond := [row.name for row in ordered if row.is_beyond]:
        remarks.append(f"{', '.join(beyond)} also have mass on values beyond the grid, which the others fold into it.")
    if at_once > 1:
        remarks.append(f"Seconds are those of {at_once} processes side by side.")

    def text(form: str) -> str:
        tables = [tabulate(table, "keys", form, floatfmt=".4g", missingval="–") for table in (results, learning)]
        parts = [part for pair in zip(titles, tables, strict=True) for part in pair]
        return "\n\n".join([*parts, *remarks])

    save_text(out / "table.md", text("github") + "\n")
    save_text(out / "table.csv", csv_text([a | b for a, b in zip(results, learning, strict=True)]))
    # How often training failed altogether belongs to the answer.
    ranked = {
        f"{row.name} ({row.diverged:.0%} of seeds diverged)" if row.diverged else row.name: curves[row.name]
        for row in ordered
        if row.results or row.diverged
    }
    save_figure(out / "figures/learning.png", plot_learning(ranked, scale))
    save_figure(out / "figures/ranking.png", plot_ranking(ranking, scale))
    print(text("simple"))
    print(
        f"\nwritten to {out}: table.md, table.csv, figures/ranking.png, figures/learning.png, and a folder for each run"
    )


def data_of(folder: Path) -> str:
    """Return in words what a run is a model of."""
    config = load_config(folder)
    settings = ", ".join(f"{key} {value}" for key, value in config["data"].items() if value and key != "name")
    name = f"{config['data']['name']} (SHA-256 {config['data_sha256'][:8]})"
    return f"{name} with {settings}" if settings else name


def result_of(row: Row, place: int, difference: Difference | None) -> dict[str, Any]:
    """Return a row's scores, None where it has none."""
    if difference is None:
        return dict.fromkeys(_RESULT_KEYS) | {"observation": row.name}
    common = row.values("common", "nats_per_datum")
    values = (
        place,
        row.name,
        statistics.mean(common),
        difference.mean,
        difference.standard_error,
        statistics.mean(row.values("common", "bits_per_dim")),
        spread(common),
        statistics.mean(row.values("common", "ess_median")),
        statistics.mean(row.values("common", "khat_median")),
        statistics.mean(row.values("common", f"khat_above_{KHAT_LIMIT}")),
        row.own("measure"),
        statistics.mean(row.values("own", "nats_per_datum")),
    )
    return dict(zip(_RESULT_KEYS, (None if value != value else value for value in values), strict=True))


def learning_of(row: Row, curves: Sequence[Curve]) -> dict[str, Any]:
    """Return how a row's runs went; None for what never ran."""
    if not curves:
        return dict.fromkeys(_LEARNING_KEYS) | {"observation": row.name, "diverged": row.diverged}
    epochs = [curve.epochs_to() for curve in curves]
    values = (
        row.name,
        row.results[0]["parameters"],
        statistics.mean(result["seconds"] for result in row.results),
        statistics.median(epochs),
        statistics.median(curve.seconds[n - 1] for curve, n in zip(curves, epochs, strict=True)),
        statistics.median(result["best_epoch"] for result in row.results),
        row.diverged,
    )
    return dict(zip(_LEARNING_KEYS, values, strict=True))


def warnings(rows: Sequence[Row]) -> list[str]:
    """Return what a reader must know to read the tables."""
    doubtful = [
        row.name for row in rows if row.results and not max(row.values("common", f"khat_above_{KHAT_LIMIT}")) <= 0.1
    ]
    lines = []
    if doubtful:
        lines.append(
            f"warning: k̂ > {KHAT_LIMIT} for more than a tenth of the data, or too few particles for k̂: "
            f"{', '.join(doubtful)}. Their log p is probably too low, by unknown amounts; the ranking may be wrong."
        )
    return [*lines, *(f"{row.name}: {row.note}" for row in rows if row.note)]
