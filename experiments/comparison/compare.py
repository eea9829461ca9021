"""Candidates for the same data: trained with the same networks, and ranked on one scale."""

import contextlib
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

import torch

from obsvae.data import Dataset
from obsvae.errors import UsageError
from obsvae.experiments.architectures import sizes_of
from obsvae.experiments.comparison.acceptance import on_scale, require_comparable, scored_as
from obsvae.experiments.comparison.candidate import Scoring, Trained
from obsvae.experiments.comparison.results import Comparison
from obsvae.experiments.comparison.rows import comparison_of, folder_of, rows_of
from obsvae.experiments.doors import as_device
from obsvae.experiments.given import given
from obsvae.experiments.jobs.folder import opened
from obsvae.experiments.jobs.job import threads_each
from obsvae.experiments.jobs.run import run_jobs
from obsvae.experiments.jobs.workers import workers_of
from obsvae.experiments.pair import make_pair, require_memory
from obsvae.experiments.runs.run import FORMAT, observed
from obsvae.guides import GUIDES
from obsvae.inference import Refined
from obsvae.inference.likelihood.estimate import prepared
from obsvae.inference.training.budget import Budget
from obsvae.model import Observation, make_observation, on_common_scale
from obsvae.options import chosen
from obsvae.whole_numbers import require_positive, require_seed, whole, whole_or_none


def compare(
    specs: Sequence[str],
    data: Dataset,
    *,
    seeds: int = 3,
    out: str | Path | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    latent: int = 40,
    hidden: Sequence[int] | None = None,
    architecture: str = "mlp",
    guide: str = "normal",
    prior: str = "standard-normal",
    epochs: int | None = None,
    batch_size: int = 100,
    lr: float = 1e-3,
    seed: int = 0,
    particles: int = 500,
    limit: int | None = None,
    memory: int = 2**28,
    device: torch.device | str = "cpu",
    progress: bool = True,
) -> Comparison:
    """Train observation distributions on the same data with the same networks, and rank them on one scale.

    Where the data lie on a grid, that scale is the mass of its cells; else all candidates must have one measure. A
    candidate that does not take the data, or whose mass of a cell is not known, is not trained, and a remark says why.

    Args:
        specs: candidates, each a text such as ``"normal:scale=decoder"``.
        data: what to train on, and to score.
        seeds: runs of each candidate.
        out: folder for the runs, tables and figures; an interrupted comparison in it goes on. None: nothing is kept.
        jobs: Dask workers on this machine, each a process with its share of the cores and of the memory; of one that
            dies the run is tried once more. A script that asks for them needs ``if __name__ == "__main__":``. None, and
            no scheduler either: one after another, in this process.
        scheduler: the address of a Dask scheduler, such as ``tcp://10.0.0.5:8786``, whose workers do the runs, each
            with its threads; they need no disk in common with this machine.
        latent: size of z.
        hidden: sizes of the hidden layers from x to z, mirrored in the decoder; by default the architecture's own.
        architecture: of the networks, a name in ``ARCHITECTURES``, with options where wanted, such as
            ``mlp:activation=tanh``.
        guide: as :func:`make_pair` takes it, of one with a density.
        prior: a name in ``PRIORS``, likewise, such as ``mixture:components=20``.
        epochs: passes over the data; by default until validation has stopped improving, as :func:`fit` has it.
        batch_size: data in a minibatch.
        lr: Adam's learning rate.
        seed: the first of the seeds of weights and minibatches, and that of the particles.
        particles: K, for each datum.
        limit: score the first test data only; None: all.
        memory: bytes that scoring may use.
        device: where to train and score.
        progress: show a progress bar, and tell how each run ended.

    Raises:
        UsageError: for wrong names and numbers, a folder with other results, candidates none of which takes the data,
            a scheduler that does not answer, or one beside jobs.
        MeasureMismatch: for candidates that cannot be ranked against one another.
    """
    _require_texts(specs)
    if not isinstance(data, Dataset):
        raise UsageError(f"compare needs a dataset, but got {type(data).__name__}: load(x) makes one of an array x")
    seeds, jobs, seed = whole("seeds", seeds), whole_or_none("jobs", jobs), whole("seed", seed, least=0)
    require_seed(seed + seeds - 1)
    latent, batch_size = whole("latent", latent), whole("batch_size", batch_size)
    require_positive("lr", lr)
    budget = Budget.of(whole_or_none("epochs", epochs), None, rows=len(data.train), batch_size=batch_size)
    particles, limit, memory = whole("particles", particles), whole_or_none("limit", limit), whole("memory", memory)
    if len({folder_of(Path(), spec, seed) for spec in specs}) < len(specs):
        raise UsageError(f"one of the candidates is named twice: {' '.join(specs)}; leave one of them out")
    if not chosen("guide", guide, GUIDES)[0].has_density:
        raise UsageError(f"guide {guide!r} has no density, from which particles could come; take guide 'normal'")
    networks = {
        "latent": latent,
        "hidden": [whole("hidden", size) for size in sizes_of(architecture, hidden)],
        "architecture": architecture,
        "guide": guide,
        "prior": prior,
    }
    observations = {spec: make_observation(spec, data) for spec in specs}
    refused = _refused(observations, data, networks)  # before any training, so that nothing is trained in vain
    where = as_device(device)
    scoring = Scoring(Refined(), particles, limit, memory, seed)
    _require_room([one for spec, one in observations.items() if spec not in refused], data, networks, scoring)
    training = {**asdict(budget), "batch_size": batch_size, "lr": lr}
    of_data = {
        "data": None if data.recipe is None else dict(data.recipe),
        "data_sha256": data.sha256,
        "observed": observed(data) if data.recipe is None else None,
        "data_fingerprint": data.fingerprint if data.recipe is None else None,
    }
    how = {**asdict(scoring), "proposal": scoring.proposal.name}
    settings = {"format": FORMAT, **of_data, **networks, **training, "scoring": how, "device": where.type}
    with contextlib.ExitStack() as stack:
        workers = stack.enter_context(workers_of(jobs, scheduler))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()), "comparison") if out is None else Path(out)
        stack.enter_context(opened(folder, settings))
        each = range(seed, seed + seeds)
        todo = [
            Trained(
                spec,
                data,
                networks,
                {**training, "seed": one},
                scoring,
                str(where),
                folder_of(folder, spec, one),
                None if jobs is None else threads_each(jobs),
            )
            for one in each  # each candidate once before any twice
            for spec in specs
            if spec not in refused
        ]
        run_jobs(todo, workers, progress)
        rows = [rows_of(spec, each, folder, observation, data, refused) for spec, observation in observations.items()]
        at_once = None if workers is None else workers.number
        found = comparison_of(list(chain.from_iterable(rows)), data, at_once, None if out is None else folder)
    if found.folder is not None:
        found.save(found.folder)
    return found


def _require_texts(specs: object) -> None:
    """Refuse anything but a list of candidates as texts."""
    wanted = "compare needs a list of candidates as texts, such as ['normal', 'normal:scale=decoder']"
    if isinstance(specs, str) or not isinstance(specs, Sequence) or not specs:
        raise UsageError(f"{wanted}, but got {repr(specs) if isinstance(specs, Sequence) else type(specs).__name__}")
    if others := [type(spec).__name__ for spec in specs if not isinstance(spec, str)]:
        raise UsageError(f"{wanted}, but one of them is of type {others[0]}")


def _refused(observations: dict[str, Observation], data: Dataset, networks: dict[str, Any]) -> dict[str, str]:
    """Return the candidates that cannot be trained or ranked on these data, each with the reason.

    Raises:
        UsageError: where that is all of them.
        MeasureMismatch: where those that are left cannot be ranked against one another.
    """
    refused: dict[str, str] = {}
    taken: dict[str, Observation] = {}
    for spec, observation in observations.items():
        try:
            require_comparable(observation, data)
            require_memory(observation, data, **networks)
        except UsageError as error:
            refused[spec] = str(error)
        else:
            taken |= {f"{spec}, {name}" if name else spec: one for name, one in scored_as(observation).items()}
    if len(refused) == len(observations):
        first = next(iter(observations))
        raise UsageError(f"no candidate takes these data; of {first}: {refused[first]}")
    on_common_scale(taken, data.grids)
    return refused


def _require_room(
    observations: Iterable[Observation], data: Dataset, networks: dict[str, Any], scoring: Scoring
) -> None:
    """Refuse a memory in which a candidate could not be scored once it is trained.

    Raises:
        UsageError: with what one datum needs.
    """
    how = scoring.particles, scoring.proposal, scoring.memory, scoring.seed
    for observation in observations:
        model, guide = make_pair(observation, data, **networks)
        for own in scored_as(observation).values():
            for one in (own, on_scale(own, data)):
                with prepared(model.with_observation(one), guide, data.test[:2], *how, given(data, "test", slice(2))):
                    pass  # it has measured what a datum needs
