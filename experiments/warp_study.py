"""Data warped from binary to mid-grey, and the likelihood of several decoders on each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments.architectures import sizes_of
from obsvae.experiments.comparison.acceptance import refusal
from obsvae.experiments.comparison.candidate import Scoring, Trained
from obsvae.experiments.doors import as_device
from obsvae.experiments.jobs.folder import opened
from obsvae.experiments.jobs.job import read_result, threads_each
from obsvae.experiments.jobs.run import run_jobs
from obsvae.experiments.jobs.workers import workers_of
from obsvae.experiments.runs.run import FORMAT
from obsvae.experiments.warp_results import DECODERS, WarpScore, WarpStudy
from obsvae.inference import Amortised
from obsvae.model import make_observation
from obsvae.whole_numbers import require_positive, require_seed, whole, whole_or_none

GAMMAS = (-0.5, -0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4)


def warp_study(
    source: str,
    gammas: Sequence[float] = GAMMAS,
    *,
    out: str | Path,
    jobs: int | None = None,
    scheduler: str | None = None,
    latent: int = 20,
    hidden: Sequence[int] | None = (500, 500),
    architecture: str = "mlp",
    epochs: int = 10,
    batch_size: int = 100,
    lr: float = 1e-3,
    seed: int = 0,
    particles: int = 100,
    limit: int | None = 1000,
    device: torch.device | str = "cpu",
) -> WarpStudy:
    """Train each of ``DECODERS`` on data warped by each gamma, and score them all by densities over [0, 1].

    Args:
        source: data on a grid, with bounds, as ``load`` takes them.
        gammas: from -0.5 to below 0.5.
        out: folder; an interrupted study in it goes on.
        jobs: Dask workers on this machine, as :func:`compare` has them; None, and no scheduler either: one after
            another, in this process.
        scheduler: the address of a Dask scheduler whose workers do the runs.
        latent: size of z.
        hidden: sizes of the hidden layers from x to z.
        architecture: of the networks.
        epochs: passes over the data.
        batch_size: data in a minibatch.
        lr: Adam's learning rate.
        seed: of weights, minibatches and particles.
        particles: K, for each datum.
        limit: score the first test data only; None: all.
        device: where to train and score.

    Raises:
        UsageError: for wrong names and numbers, data without a grid or bounds, a scheduler that does not answer, or one
            beside jobs, and where no decoder takes the data, or none came to an end.
    """
    jobs, latent = whole_or_none("jobs", jobs), whole("latent", latent)
    require_seed(seed)
    epochs, batch_size = whole("epochs", epochs), whole("batch_size", batch_size)
    require_positive("lr", lr)
    particles, limit = whole("particles", particles), whole_or_none("limit", limit)
    sha256, out = _source_of(source, gammas), Path(out)
    sizes = [whole("hidden", size) for size in sizes_of(architecture, hidden)]
    networks = {"latent": latent, "hidden": sizes, "architecture": architecture}
    training = {"epochs": epochs, "batch_size": batch_size, "lr": lr, "seed": seed}
    # The ELBO is the guide's, and what the paper estimates is by the guide's particles, too.
    scoring = Scoring(Amortised(), particles, limit, 2**28, seed)
    recipes: dict[float, Mapping[str, Any]] = {}
    failures: dict[tuple[str, float], str] = {}
    for gamma in gammas:
        # Noise within the cells, as in the paper, before they are warped.
        data = load(source, dequantise=True, warp=gamma)
        recipes[gamma] = data.recipe or {}
        for name, decoder in DECODERS.items():
            if why := refusal(make_observation(decoder.observation, data), data):
                failures[name, gamma] = why
    where = as_device(device)
    how = {"particles": particles, "limit": limit, "device": where.type}
    settings = {"format": FORMAT, "source": source, "data_sha256": sha256, **networks, **training, **how}
    todo = {
        (name, gamma): Trained(
            decoder.observation,
            recipe,
            networks,
            training,
            scoring,
            str(where),
            out / f"{name.replace(', ', '-').replace(' ', '-')}_{gamma:g}",
            None if jobs is None else threads_each(jobs),
            {_clamped(scored): spec for scored, spec in decoder.clamped.items()},
        )
        for gamma, recipe in recipes.items()
        for name, decoder in DECODERS.items()
        if (name, gamma) not in failures
    }
    with workers_of(jobs, scheduler) as workers, opened(out, settings):
        run_jobs(list(todo.values()), workers)
    results = {key: read_result(job.out) or {} for key, job in todo.items()}
    failures |= {key: result["message"] for key, result in results.items() if "message" in result}
    found = [one for (name, gamma), result in results.items() for one in _scores(name, gamma, result)]
    titles = list(dict.fromkeys(score.title for score in found))
    scores = sorted(found, key=lambda score: titles.index(score.title))
    if not scores:
        why = f"no run came to an end: {next(iter(failures.values()))}"
        raise RuntimeError(why) if any(r.get("is_fault") for r in results.values()) else UsageError(why)
    return WarpStudy(scores, failures)


def _source_of(source: str, gammas: Sequence[float]) -> str:
    """Return the SHA-256 of the data to warp; refuse data that cannot be, before any training."""
    if not gammas:
        raise UsageError("the study needs at least one gamma, but got none; give such as -0.5 0 0.4")
    if twice := [gamma for i, gamma in enumerate(gammas) if gamma in gammas[:i]]:
        raise UsageError(f"the study needs distinct gammas, but {twice[0]:g} is named twice; leave one of them out")
    data = load(source)
    lacking = [name for name, value in {"grid": data.grid, "bounds": data.bounds}.items() if value is None]
    if lacking:
        raise UsageError(
            f"the study needs data on a grid, stored as integers, with bounds, such as mnist or an array of uint8, but "
            f"{source!r} has no {' and no '.join(lacking)}"
        )
    return data.sha256


def _clamped(scored: str) -> str:
    return f"{scored}, clamped" if scored else "clamped"


def _scores(name: str, gamma: float, result: Mapping[str, Any]) -> list[WarpScore]:
    decoder = DECODERS[name]
    clamped = {_clamped(scored): scored for scored in decoder.clamped}
    return [
        WarpScore(
            decoder=name,
            scored=clamped.get(key, key),
            is_clamped=decoder.is_clamped or key in clamped,
            gamma=gamma,
            elbo=found["own"]["mean_log_weight"],
            nats_per_datum=found["own"]["nats_per_datum"],
            standard_error=found["own"]["standard_error"],
            khat=found["own"]["khat_median"],
        )
        for key, found in result.get("scores", {}).items()
    ]
