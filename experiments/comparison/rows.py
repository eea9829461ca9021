"""From the folders of finished jobs to the results of a comparison."""

import hashlib
import json
import math
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from obsvae.data import Dataset
from obsvae.errors import UsageError
from obsvae.experiments.comparison.acceptance import scored_as
from obsvae.experiments.comparison.candidate import read_curve, read_scores
from obsvae.experiments.comparison.results import Comparison, Learning, Remark, Score, mean_or_none
from obsvae.experiments.evaluation.doubts import FEW_STEPS, FLOOR_DECIDES, NEAR_FLOOR, Z_IGNORED
from obsvae.experiments.evaluation.findings import of_conditions
from obsvae.experiments.files import load_config
from obsvae.experiments.jobs.job import read_result
from obsvae.inference import KHAT_LIMIT, Curve, Difference, rank, spread
from obsvae.model import Measure, Observation, require_one_dataset


@dataclass(frozen=True)
class Row:
    """A candidate, or one of the likelihoods that a loss is scored under.

    Attributes:
        name: of the candidate, with what it is scored as.
        folders: its finished runs.
        results: what they left.
        note: what went wrong, or what to know.
        scored: what it is scored as; empty: as itself.
        diverged: share of its seeds.
        is_beyond: whether it is a mass that takes values beyond the data's grid, too.
        has_fault: whether one of its runs ended by a fault of the program.
    """

    name: str
    folders: list[Path]
    results: list[dict[str, Any]]
    note: str
    scored: str = ""
    diverged: float = 0.0
    is_beyond: bool = False
    has_fault: bool = False

    def common(self) -> list[np.ndarray]:
        """Return the scores of each datum on the common scale, for each seed."""
        return [read_scores(folder, self.scored) for folder in self.folders]

    def own(self, key: str) -> Any:
        """Return something that all seeds' own scores share, such as their measure."""
        return self.results[0]["scores"][self.scored]["own"][key]

    def values(self, scale: str, key: str) -> list[float]:
        """Return a number of each seed's summary; what was NaN is NaN again."""
        found = [result["scores"][self.scored][scale][key] for result in self.results]
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
    diverged = sum(result.get("has_diverged", False) for result in found.values()) / len(found)
    note = f"{len(failures)} of {len(found)} seeds: {failures[0]}" if failures else ""
    if observation.is_bound:
        note = "; ".join(filter(None, [note, "log p, its own, is a lower bound of the mass"]))
    return [
        Row(
            f"{spec}, {scored}" if scored else spec,
            list(ended),
            list(ended.values()),
            note,
            scored,
            diverged,
            _takes_beyond(observation, data),
            any(result.get("is_fault", False) for result in found.values()),
        )
        for scored in scored_as(observation)
    ]


def _takes_beyond(observation: Observation, data: Dataset) -> bool:
    if data.grid is None or data.grid.levels is None or observation.measure is not Measure.COUNTING:
        return False
    next_value = data.grid.low + data.grid.levels * data.grid.step
    return bool(observation.support.contains(torch.full((1, *data.event_shape), next_value)).all())


def comparison_of(rows: Sequence[Row], data: Dataset, at_once: int | None, folder: Path | None) -> Comparison:
    """Return the results of candidates whose jobs are done.

    Raises:
        UsageError: where none came to an end.
        RuntimeError: where none did, for a fault of the program.
        MeasureMismatch: where the folders hold models of different data.
    """
    ended = {row.name: row for row in rows if row.results}
    if not ended:
        why = "no candidate came to an end: " + "; ".join(f"{row.name}: {row.note}" for row in rows)
        raise RuntimeError(why) if any(row.has_fault for row in rows) else UsageError(why)
    require_one_dataset({str(run): data_of(load_config(run)) for row in ended.values() for run in row.folders})
    ranking = rank({name: row.common() for name, row in ended.items()})
    ordered = [ended[name] for name in ranking] + [row for row in rows if not row.results]
    curves = {row.name: [read_curve(run, row.scored) for run in row.folders] for row in ordered}
    best, learning = ordered[0], [_learning(row, curves[row.name]) for row in ordered]
    return Comparison(
        scores=[_score(row, place, ranking.get(row.name)) for place, row in enumerate(ordered, 1)],
        learning=learning,
        ranking=ranking,
        curves=curves,
        remarks=[*_of_training(learning), *_remarks(ordered, at_once), *_of_conditions(data)],
        scale="mass of the grid cell" if data.grid is not None else f"{_common_measure(best)} in data units",
        n=best.results[0]["scores"][best.scored]["common"]["n"],
        seeds=max(len(row.results) for row in ordered),
        folder=folder,
    )


def _common_measure(row: Row) -> str:
    return str(row.results[0]["scores"][row.scored]["common"]["measure"])


def data_of(config: Mapping[str, Any]) -> str:
    """Return in words the data of a run, from its configuration; of a schema, which is long, the checksum."""
    recipe = config["data"] or {}
    settings = ", ".join(f"{key} {_in_short(value)}" for key, value in recipe.items() if value and key != "name")
    name = f"{config['data_name']} (SHA-256 {config['data_sha256'][:8]})"
    return f"{name} with {settings}" if settings else name


def _in_short(value: object) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]


def _score(row: Row, place: int, difference: Difference | None) -> Score:
    if difference is None:
        return Score(row.name)
    common = row.values("common", "nats_per_datum")
    over_seeds = spread(common)
    return Score(
        observation=row.name,
        rank=place,
        nats_per_datum=mean_or_none(common),
        difference=difference,
        bits_per_dim=mean_or_none(row.values("common", "bits_per_dim")),
        spread=None if math.isnan(over_seeds) else over_seeds,
        ess=mean_or_none(row.values("common", "ess_median")),
        khat=mean_or_none(row.values("common", "khat_median")),
        khat_above=mean_or_none(row.values("common", f"khat_above_{KHAT_LIMIT}")),
        measure=row.own("measure"),
        own_nats_per_datum=mean_or_none(row.values("own", "nats_per_datum")),
    )


def _learning(row: Row, curves: Sequence[Curve]) -> Learning:
    if not curves:
        return Learning(row.name, diverged=row.diverged)
    epochs = [curve.epochs_to() for curve in curves]
    return Learning(
        observation=row.name,
        parameters=row.results[0]["parameters"],
        seconds=statistics.mean(result["seconds"] for result in row.results),
        epochs_to_near_best=statistics.median(epochs),
        seconds_to_near_best=statistics.median(c.seconds[n - 1] for c, n in zip(curves, epochs, strict=True)),
        best_epoch=statistics.median(result["best_epoch"] for result in row.results),
        steps=statistics.median(result["steps"] for result in row.results),
        is_improving=any(result["is_improving"] for result in row.results),
        diverged=row.diverged,
    )


def _remarks(rows: Sequence[Row], at_once: int | None) -> list[Remark]:
    doubtful = tuple(
        row.name for row in rows if row.results and not max(row.values("common", f"khat_above_{KHAT_LIMIT}")) <= 0.1
    )
    beyond = tuple(row.name for row in rows if row.is_beyond and row.results)
    remarks = [*_of_floors(rows), *_of_latents(rows)]
    if doubtful:
        text = (
            f"k̂ > {KHAT_LIMIT} for more than a tenth of the data, or too few particles for k̂: "
            f"{', '.join(doubtful)}. Their log p is probably too low, by unknown amounts; the ranking may be wrong."
        )
        remarks.append(Remark(text, doubtful, is_warning=True))
    remarks += [Remark(f"{row.name}: {row.note}", (row.name,)) for row in rows if row.note]
    remarks.append(Remark("The weights are those of the epoch that is best by a candidate's own objective."))
    if beyond:
        names = ", ".join(beyond)
        text = f"Some of the mass of {names} lies on values beyond the grid; the others fold theirs into it."
        remarks.append(Remark(text, beyond))
    if at_once is not None and at_once > 1:
        remarks.append(Remark(f"Seconds are those of {at_once} processes side by side."))
    return remarks


def _of_conditions(data: Dataset) -> list[Remark]:
    """Return a remark that the numbers are conditional, where they are."""
    return [Remark(one.text) for one in of_conditions([condition.name for condition in data.conditions])]


def _of_training(learning: Sequence[Learning]) -> list[Remark]:
    """Return a warning where more training may change the places of candidates."""
    short = [one.observation for one in learning if one.is_short]
    if not short:
        return []
    text = (
        f"Training was short, of fewer than {FEW_STEPS} steps or still gaining at its end: {', '.join(short)}. More "
        "epochs may change their places."
    )
    return [Remark(text, is_warning=True)]


def _of_floors(rows: Sequence[Row]) -> list[Remark]:
    """Return a warning where the floor of the scales decides the rank of candidates."""
    shares = {row.name: [share for share in row.values("common", "near_floor") if share > 0] for row in rows}
    near = {name: max(of) for name, of in shares.items() if of and max(of) >= NEAR_FLOOR}
    if not near:
        return []
    told = ", ".join(f"{name} ({share:.0%})" for name, share in near.items())
    return [Remark(f"Scales σ are near their floor, {FLOOR_DECIDES}: {told}.", tuple(near), is_warning=True)]


def _of_latents(rows: Sequence[Row]) -> list[Remark]:
    """Return a warning where no latent is active in a run of candidates."""
    idle = tuple(row.name for row in rows if any(result["active_latents"] == 0 for result in row.results))
    if not idle:
        return []
    return [Remark(f"No latent dimension is active, {Z_IGNORED}: {', '.join(idle)}.", idle, is_warning=True)]
