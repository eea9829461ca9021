"""One candidate of a comparison: trained with one seed and scored, in a process of its own."""

import csv
import json
import os
import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from command import csv_text
from torch import nn
from tqdm import tqdm
from training import train_run

from data import Dataset, load
from inference import (
    Amortised,
    Curve,
    History,
    Proposal,
    Refined,
    TrainingDiverged,
    Watch,
    flushing_denormals,
    log_likelihood,
    save_json,
    save_text,
)
from model import VAE, Observation, make_observation

# Per epoch so many validation data are scored, with so many particles: 10,000 decoder passes.
CURVE_DATA, CURVE_PARTICLES = 500, 20
# What a job may be scored by in the end.
PROPOSALS: Mapping[str, Proposal] = {"amortised": Amortised(), "refined": Refined()}


@dataclass(frozen=True, eq=False)
class Job:
    """What a process needs to know; everything but ``out`` and ``threads`` decides the numbers.

    Attributes:
        config: of the pair, as :func:`training.train_run` takes it.
        training: arguments of :func:`inference.fit`, with the seed.
        evaluation: ``proposal``, ``particles``, ``limit``, ``memory`` in bytes, and ``seed``.
        rescored: further observations, by name, that the trained decoder is scored under.
        device: where.
        out: the run folder.
        threads: how many torch may use.
    """

    config: dict[str, Any]
    training: dict[str, Any]
    evaluation: dict[str, Any]
    device: str
    out: Path
    threads: int
    rescored: Mapping[str, str] = field(default_factory=dict)


def scored_as(observation: Observation) -> dict[str, Observation]:
    """Return the normalised observations that a trained one is scored as, by what their name gets appended."""
    corrections = observation.corrections()
    return {f", {how}": other for how, other in corrections.items()} if corrections else {"": observation}


def run_job(job: Job) -> None:
    """Train and score; leave a run folder with ``curve.csv``, ``scores.csv`` and, last, ``result.json``.

    A failure is a result, too.
    """
    torch.set_num_threads(job.threads)
    tqdm.set_lock(threading.RLock())  # its own, between processes, would be left behind where this one is ended
    shutil.rmtree(job.out, ignore_errors=True)  # what an interrupt left
    with flushing_denormals():
        try:
            result = _train_and_score(job)
        except TrainingDiverged as error:
            result = {"status": error.history.stopped, "message": str(error)}
        except (ValueError, MemoryError, RuntimeError) as error:
            result = {"status": "failed", "message": " ".join(str(error).split())}
    save_json(job.out / "result.json", result)


def _train_and_score(job: Job) -> dict[str, Any]:
    data = load(**job.config["data"])
    where = torch.device(job.device)
    few = data.validation[:CURVE_DATA].to(where)
    watched: dict[str, Watch] = {}

    def watch(model: VAE, guide: nn.Module, history: History) -> None:
        for suffix, observation in scored_as(model.observation).items():
            if suffix not in watched:
                on_scale = _on_scale(model, observation, data)
                watched[suffix] = Watch(on_scale, guide, few, CURVE_PARTICLES, job.evaluation["seed"])
            watched[suffix](history)
        seconds = next(iter(watched.values())).seconds
        columns = {f"validation{suffix}": one.scores for suffix, one in watched.items()}
        columns = {"epoch": range(1, len(seconds) + 1), "seconds": seconds, **columns}
        save_text(job.out / "curve.csv", csv_text(_rows(columns)))

    out, history, model, guide = train_run(
        job.config, job.training, where, job.out, data=data, progress=False, watch=watch
    )
    assert history.best is not None
    x = data.test[: job.evaluation["limit"]].to(where)
    settings = {"memory": job.evaluation["memory"], "seed": job.evaluation["seed"], "progress": False}
    proposal = PROPOSALS[job.evaluation["proposal"]]

    def score(pair: VAE) -> tuple[np.ndarray, dict[str, Any]]:
        found = log_likelihood(pair, guide, x, job.evaluation["particles"], proposal=proposal, **settings)
        own = {"measure": pair.observation.measure.value, "is_bound": pair.observation.is_bound}
        return found.weights.estimate, {**found.summary(), **own}

    scores: dict[str, dict[str, Any]] = {}
    columns: dict[str, np.ndarray] = {"datum": np.arange(len(x))}
    more = {f", {name}": make_observation(spec, data).to(where).eval() for name, spec in job.rescored.items()}
    for suffix, observation in {**scored_as(model.observation), **more}.items():
        own, common = VAE(model.prior, model.decoder, observation), _on_scale(model, observation, data)
        own_scores, own_summary = score(own)
        same = common.observation is observation
        common_scores, common_summary = (own_scores, own_summary) if same else score(common)
        scores[suffix] = {"own": own_summary, "common": common_summary}
        columns |= {f"own{suffix}": own_scores, f"common{suffix}": common_scores}
    save_text(
        out / "scores.csv",
        csv_text(_rows(columns)),
    )
    return {
        "status": history.stopped,
        "scores": scores,
        "parameters": sum(p.numel() for p in model.parameters()) + sum(p.numel() for p in guide.parameters()),
        "observation_parameters": model.observation.describe(),
        "seconds": history.epochs[-1].seconds,
        "epochs": len(history),
        "best_epoch": history.best.epoch,
        "data_sha256": data.sha256,
    }


def _on_scale(model: VAE, observation: Observation, data: Dataset) -> VAE:
    """Return the trained pair's model, scored on the scale that all candidates share."""
    return VAE(model.prior, model.decoder, observation if data.grid is None else observation.on_grid(data.grid))


def read_result(folder: Path) -> dict[str, Any] | None:
    """Return what a job has left; None where it has not ended."""
    file = folder / "result.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def read_scores(folder: Path) -> Mapping[str, np.ndarray]:
    """Return the columns of a job's ``scores.csv``."""
    return _columns(folder / "scores.csv")


def read_curve(folder: Path, suffix: str) -> Curve:
    """Return the validation curve of a job, as it is scored."""
    columns = _columns(folder / "curve.csv")
    return Curve(columns["seconds"], columns[f"validation{suffix}"])


def _rows(columns: Mapping[str, Sequence[float] | np.ndarray]) -> list[dict[str, float]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _columns(file: Path) -> dict[str, np.ndarray]:
    with file.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def threads_each(jobs: int) -> int:
    """Return how many threads each of so many processes may use."""
    return max(1, (os.cpu_count() or 1) // jobs)
