"""Which observation data want: the question answered."""

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from obsvae.data import Dataset
from obsvae.errors import UsageError
from obsvae.experiments.architectures import sizes_of
from obsvae.experiments.doors import as_device
from obsvae.experiments.jobs.folder import opened
from obsvae.experiments.jobs.run import run_jobs
from obsvae.experiments.jobs.workers import workers_of
from obsvae.experiments.pair import make_pair
from obsvae.experiments.recommendation.candidates import on_their_grids, questions
from obsvae.experiments.recommendation.confirming.clock import Clock
from obsvae.experiments.recommendation.confirming.decide import Course, decide
from obsvae.experiments.recommendation.confirming.effort import (
    Effort,
    default_batch,
    default_hidden,
    default_latent,
    rows_scored,
    rows_trained,
)
from obsvae.experiments.recommendation.question import Question
from obsvae.experiments.recommendation.results import Recommendation
from obsvae.experiments.recommendation.say.files import save
from obsvae.experiments.recommendation.screen import Screening
from obsvae.experiments.recommendation.screening.job import ScreenJob
from obsvae.experiments.runs.run import FORMAT, observed
from obsvae.model import by_column_text
from obsvae.whole_numbers import require_positive, require_seed, whole, whole_or_none

# Questions that are screened in this process: a worker takes seconds to load what the screen needs.
_FEW = 4
# Epochs over which the weight of the KL rises: without it some seeds leave latent dimensions unused that others use,
# and the seeds differ by more than the families.
_WARMUP = 15


def recommend(
    data: Dataset,
    *,
    minutes: float = 5.0,
    seeds: int = 2,
    out: str | Path | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    columns: Sequence[str] | None = None,
    latent: int | None = None,
    hidden: Sequence[int] | None = None,
    architecture: str = "mlp",
    epochs: int = 200,
    batch_size: int | None = None,
    lr: float = 4e-3,
    patience: int = 20,
    particles: int = 100,
    seed: int = 0,
    device: torch.device | str = "cpu",
    progress: bool = True,
) -> Recommendation:
    """Find out which observation distribution data want: look, list, screen, and confirm in small VAEs.

    The training rows are fitted; validation rows say when to stop, and choose; the final numbers are those of test
    rows. A column of a table is scored given the other entries of its row, an array as a whole, all candidates by one
    measure. See :func:`confirm` for the trials and :func:`differences` for the standard errors.

    Args:
        data: a table or an array.
        minutes: that it may take; where they run out, the answers rest on what there is, and a warning says which.
        seeds: runs of each candidate that is left in the end.
        out: a folder, which keeps the trials; an interrupted recommendation in it goes on, also with more minutes or
            seeds. None: nothing is kept.
        jobs: Dask workers on this machine, processes of one thread each; a script that asks for them needs
            ``if __name__ == "__main__":``. None, and no scheduler either: one after another, in this process.
        scheduler: the address of a Dask scheduler whose workers do the trials; see :func:`compare`.
        columns: the names of those that are asked for; the others have the families that the data say. None: all.
        latent: size of z; by default the root of the number of features, 8 at most.
        hidden: sizes of the hidden layers; by default 64 64, and 128 128 for more than 100 features.
        architecture: of the networks, a name in ``ARCHITECTURES``, with options where wanted, such as
            ``mlp:activation=tanh``.
        epochs: passes over the data at most.
        batch_size: data in a minibatch; by default a tenth of the rows, from 16 to 400.
        lr: Adam's learning rate.
        patience: epochs without a better validation ELBO after which training ends.
        particles: K, for each row.
        seed: the first of the seeds of weights and minibatches.
        device: where to train and score.
        progress: tell the plan, and show a progress bar where standard error is a terminal.

    Raises:
        UsageError: for wrong names and numbers, a folder with other results, a column for which nothing comes in
            question, a scheduler that does not answer, or one beside jobs.
    """
    if not isinstance(data, Dataset):
        raise UsageError(f"recommend needs a dataset, but got {type(data).__name__}: load(x) makes one of an array x")
    if not (isinstance(minutes, int | float) and minutes > 0):
        raise UsageError(f"minutes need to be more than 0, but got {minutes!r}")
    if isinstance(columns, str) or (columns is not None and not columns):
        raise UsageError(f"columns need to be a list of at least one name, but got {columns!r}; None asks for all")
    clock = Clock(minutes)
    features = data.train[0].numel()
    sizes = hidden if hidden is not None or architecture != "mlp" else default_hidden(features)
    require_positive("lr", lr)
    effort = Effort(
        networks={
            "latent": default_latent(features) if latent is None else whole("latent", latent),
            "hidden": [whole("hidden", size) for size in sizes_of(architecture, sizes)],
            "architecture": architecture,
            "guide": "normal",
            "prior": "standard-normal",
        },
        training={
            "epochs": whole("epochs", epochs),
            "batch_size": whole(
                "batch_size",
                default_batch(rows_trained(features, len(data.train))) if batch_size is None else batch_size,
            ),
            "lr": lr,
            "patience": whole("patience", patience),
            "kl_warmup": min(_WARMUP, 3 * patience // 4),  # training must not end for want of patience within it
        },
        rows={split: rows_scored(features, len(data.split(split))) for split in ("validation", "test")},
        particles=whole("particles", particles),
        device=str(as_device(device)),
    )
    seeds, jobs, seed = whole("seeds", seeds), whole_or_none("jobs", jobs), whole("seed", seed, least=0)
    require_seed(seed + seeds - 1)
    asked = questions(data, columns)
    ranked = on_their_grids(data, asked)
    possible = {one.name: one.candidates[0].observation for one in asked if one.candidates}
    if possible:  # of all networks one, which refuses before anything is written what none of them could be
        make_pair(possible[""] if data.columns is None else by_column_text(possible), ranked, **effort.networks)
    with contextlib.ExitStack() as stack:
        workers = stack.enter_context(workers_of(jobs, scheduler))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()), "rec") if out is None else Path(out)
        stack.enter_context(opened(folder, _settings(data, effort)))
        course = Course(folder, clock, seeds, seed, workers, progress)
        decided = decide(ranked, asked, _screened(data, asked, course), effort, course)
        if out is None:
            return decided.recommendation
        kept = replace(decided.recommendation, folder=folder)
        save(kept, data, folder, decided.draws)
        return kept


def _screened(data: Dataset, asked: Sequence[Question], course: Course) -> dict[str, dict[str, Screening]]:
    """Return what the screen finds of the candidates of each question; what it has found before is not done again."""
    one_thread = None if course.workers is None else 1
    each = [
        ScreenJob(one, data, course.seed, course.folder / "screen" / _key(one, course.seed), one_thread)
        for one in asked
    ]
    workers = course.workers if len(each) > _FEW else None
    with tqdm(total=len(each), unit="question", desc="screen", disable=None if course.progress else True) as bar:
        run_jobs(each, workers, False, until=course.clock.end, bar=bar)
    return {one.question.name: one.found() for one in each}


def _key(question: Question, seed: int) -> str:
    """Return the name of a folder for all that decides what the screen of a question finds."""
    what = [question.name, [one.observation for one in question.candidates], str(question.grid), seed]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]


def _settings(data: Dataset, effort: Effort) -> dict[str, Any]:
    """Return what decides the numbers of all trials."""
    return {
        "format": FORMAT,
        "data": None if data.recipe is None else dict(data.recipe),
        "data_sha256": data.sha256,
        "observed": observed(data) if data.recipe is None else None,
        "data_fingerprint": data.fingerprint if data.recipe is None else None,
        "networks": dict(effort.networks),
        "training": dict(effort.training),
        "rows": dict(effort.rows),
        "particles": effort.particles,
        "device": torch.device(effort.device).type,
    }
