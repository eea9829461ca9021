"""One candidate of a comparison: trained with one seed and scored."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from torch import nn

from obsvae.data import Dataset, load
from obsvae.errors import UsageError
from obsvae.experiments.comparison.acceptance import on_scale, scored_as
from obsvae.experiments.csv_files import columns_text, read_columns
from obsvae.experiments.evaluation.doubts import active_latents, scales_near_floor
from obsvae.experiments.evaluation.scoring import score
from obsvae.experiments.files import save_text
from obsvae.experiments.given import given
from obsvae.experiments.jobs.job import Job, read_result
from obsvae.experiments.runs.resuming import is_complete, resume_run
from obsvae.experiments.runs.run import Run, load_run
from obsvae.experiments.runs.state_file import load_state
from obsvae.experiments.runs.training import train_run
from obsvae.inference import Callback, Curve, History, Proposal, Watch
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.model import VAE, make_observation

CURVE = "curve.csv"
# The validation data that are scored after each epoch, and the particles of each: 10,000 decoder passes.
CURVE_DATA, CURVE_PARTICLES = 500, 20


@dataclass(frozen=True)
class Scoring:
    """How candidates are scored in the end.

    Attributes:
        proposal: where the particles come from.
        particles: K, for each datum.
        limit: score the first test data only; None: all.
        memory: bytes that scoring may use.
        seed: of the particles.
    """

    proposal: Proposal
    particles: int
    limit: int | None
    memory: int
    seed: int


@dataclass(frozen=True, eq=False)
class Trained(Job):
    """A candidate to be trained and scored; everything but ``out`` and ``threads`` decides the numbers.

    It leaves a run folder with ``curve.csv`` and ``scores.csv``.

    Attributes:
        observation: the candidate, as a text.
        data: the data, or the arguments of ``load`` where many are to be loaded only when their turn comes.
        networks: arguments of :func:`make_pair`.
        training: arguments of :func:`fit`, with the seed.
        scoring: how it is scored.
        device: where.
        out: the run folder.
        threads: how many torch may use; None: as it is set.
        rescored: further observations, by name, that the trained decoder is scored under.
    """

    observation: str
    data: Mapping[str, Any] | Dataset
    networks: Mapping[str, Any]
    training: Mapping[str, Any]
    scoring: Scoring
    device: str
    out: Path
    threads: int | None = None
    rescored: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The candidate and its seed."""
        return f"{self.observation}, seed {self.training['seed']}"

    @property
    def epochs(self) -> int:
        """The number of epochs at most."""
        return int(self.training["epochs"])

    def can_go_on(self) -> bool:
        """Return whether a training was interrupted whose weights, state and curve are there."""
        if read_result(self.out) is not None:
            return False
        try:
            load_run(self.out)
            return len(read_columns(self.out / CURVE)["epoch"]) >= len(load_state(self.out).history)
        except (UsageError, OSError, KeyError):  # as before the first epoch has ended
            return False

    def packed(self) -> Self:
        """Return the same job with its data loaded."""
        return self if isinstance(self.data, Dataset) else replace(self, data=_loaded(json.dumps(dict(self.data))))

    def work(self, callbacks: Sequence[Callback]) -> dict[str, Any]:
        """Train and score."""
        return _train_and_score(self, callbacks)


class _Curves(Callback):
    """Scores validation data after each epoch on the common scale, and leaves ``curve.csv``.

    Args:
        job: whose training it is.
        data: of the job.
        epochs: that were scored before, of a training that goes on.
    """

    def __init__(self, job: Trained, data: Dataset, epochs: int = 0) -> None:
        self.job, self.data, self.epochs = job, data, epochs

    def on_start(self, model: GenerativeModel, guide: AmortisedGuide) -> None:
        assert isinstance(model, VAE)
        first, device = slice(CURVE_DATA), self.job.device
        x, c = self.data.validation[first].to(device), given(self.data, "validation", first, device)
        self.watched = {}
        before = read_columns(self.job.out / CURVE) if self.epochs else {}
        for name, observation in scored_as(model.observation).items():
            pair = model.with_observation(on_scale(observation, self.data))
            watch = self.watched[name] = Watch(pair, guide, x, CURVE_PARTICLES, self.job.scoring.seed, c=c)
            if self.epochs:
                watch.seconds += before["seconds"][: self.epochs].tolist()
                watch.scores += before[column("validation", name)][: self.epochs].tolist()

    def on_epoch(self, history: History) -> None:
        for watch in self.watched.values():
            watch.on_epoch(history)
        seconds = next(iter(self.watched.values())).seconds
        scores = {column("validation", name): watch.scores for name, watch in self.watched.items()}
        columns = {"epoch": range(1, len(seconds) + 1), "seconds": seconds, **scores}
        save_text(self.job.out / CURVE, columns_text(columns))


@lru_cache(maxsize=1)
def _loaded(recipe: str) -> Dataset:
    """Return the data of a recipe as JSON; those of the last are kept, as jobs of the same data follow each other."""
    return load(**json.loads(recipe))


def _train_and_score(job: Trained, callbacks: Sequence[Callback]) -> dict[str, Any]:
    data = job.data if isinstance(job.data, Dataset) else load(**job.data)
    run = _gone_on(job, data, callbacks) if job.can_go_on() else _trained(job, data, callbacks)
    if run.history.stopped == "interrupted":
        raise KeyboardInterrupt  # a model that was trained for less would be compared unfairly
    assert run.history.best is not None
    scores, columns = _scores(job, run, data)
    save_text(job.out / "scores.csv", columns_text(columns))
    return {
        "status": run.history.stopped,
        "scores": scores,
        "parameters": sum(p.numel() for p in nn.ModuleList([run.model, run.guide]).parameters()),
        "observation_parameters": run.model.observation.describe(),
        "seconds": run.history.epochs[-1].seconds,
        "epochs": len(run.history),
        "best_epoch": run.history.best.epoch,
        "steps": run.history.epochs[-1].step,
        "is_improving": run.history.is_improving,
        "active_latents": int(active_latents(run, job.scoring.seed).sum()),
        "data_sha256": data.sha256,
    }


def _trained(job: Trained, data: Dataset, callbacks: Sequence[Callback]) -> Run:
    settings = {**job.networks, **job.training}
    callbacks = [_Curves(job, data), *callbacks]
    return train_run(job.observation, data, job.out, **settings, device=job.device, callbacks=callbacks, progress=False)


def _gone_on(job: Trained, data: Dataset, callbacks: Sequence[Callback]) -> Run:
    """Return the run once its training has gone on where it was interrupted, or had ended already."""
    run = load_run(job.out, data=data)
    if is_complete(run):
        run.model.to(job.device)
        run.guide.to(job.device)
        return run
    curves = _Curves(job, data, len(load_state(job.out).history))
    return resume_run(job.out, data=data, callbacks=[curves, *callbacks], progress=False)


def _scores(job: Trained, run: Run, data: Dataset) -> tuple[dict[str, dict[str, Any]], dict[str, np.ndarray]]:
    """Return summaries, and columns with an entry for each datum, of all that a trained decoder is scored as."""
    how, x = job.scoring, data.test[: job.scoring.limit].to(job.device)
    c = given(data, "test", slice(how.limit), job.device)
    scores: dict[str, dict[str, Any]] = {}
    columns: dict[str, np.ndarray] = {"datum": np.arange(len(x)), "row": data.rows["test"][: len(x)].numpy()}
    more = {name: make_observation(spec, data).to(x.device).eval() for name, spec in job.rescored.items()}
    for name, observation in {**scored_as(run.model.observation), **more}.items():
        common = on_scale(observation, data)
        observations = {"own": observation} if common is observation else {"own": observation, "common": common}
        found = {
            scale: score(
                run.model.with_observation(one),
                run.guide,
                x,
                how.particles,
                how.proposal,
                c=c,
                memory=how.memory,
                seed=how.seed,
                progress=False,
            )
            for scale, one in observations.items()
        }
        found.setdefault("common", found["own"])
        ranked = run.model.with_observation(common)
        near_floor = scales_near_floor(ranked, run.guide, x, how.seed, c)
        scores[name] = {scale: scored.summary for scale, scored in found.items()}
        scores[name]["common"]["near_floor"] = near_floor
        columns |= {column(scale, name): scored.likelihood.weights.estimate for scale, scored in found.items()}
    return scores, columns


def column(what: str, name: str) -> str:
    """Return the title of a column of what a decoder is scored as: ``common``, or ``common, mean matched``."""
    return f"{what}, {name}" if name else what


def read_scores(folder: Path, name: str) -> np.ndarray:
    """Return the scores of each datum on the common scale."""
    return read_columns(folder / "scores.csv")[column("common", name)]


def read_curve(folder: Path, name: str) -> Curve:
    """Return the validation curve of a job on the common scale."""
    columns = read_columns(folder / CURVE)
    return Curve(columns["seconds"], columns[column("validation", name)])
