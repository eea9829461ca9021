"""Rows of a table of likelihoods: models that are trained, and scored by their estimator and by ours."""

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from obsvae.data import Dataset
from obsvae.errors import UsageError
from obsvae.experiments.published.row import Row
from obsvae.experiments.runs.resuming import resume_run
from obsvae.experiments.runs.run import Run, load_run
from obsvae.experiments.runs.training import train_run
from obsvae.inference import Amortised, Callback, History, Proposal, Refined, StopTraining, log_likelihood

# How a training has ended that may go on.
_UNFINISHED = ("unfinished", "interrupted", "callback")
REFINED_PARTICLES = 500


@dataclass(frozen=True)
class Model:
    """A model of a published table.

    Attributes:
        name: of its run folder.
        method: the row of the table.
        theirs: the published number.
        observation: p(x | z) as a text.
        networks: arguments of :func:`train_run` on networks, guide and prior.
        training: those on training, ``epochs`` among them.
    """

    name: str
    method: str
    theirs: float
    observation: str
    networks: Mapping[str, Any]
    training: Mapping[str, Any]


@dataclass(frozen=True)
class Effort:
    """How long models are trained, and how they are scored.

    Attributes:
        epochs: at most; None: those of the protocol.
        minutes: of training after which an epoch is the last; None: no limit.
        limit: score the first test data only; None: all.
        particles: K of the amortised estimate.
        seed: of all that is random.
        runs: folder where run folders are kept, and where those that are there go on, one that has had fewer epochs
            too; None: nothing is kept.
    """

    epochs: int | None = None
    minutes: float | None = None
    limit: int | None = None
    particles: int = 5000
    seed: int = 0
    runs: Path | None = None


class Minutes(Callback):
    """Ends training with the epoch in which a number of minutes have passed."""

    def __init__(self, minutes: float) -> None:
        self.minutes = minutes

    def on_start(self, model: object, guide: object) -> None:
        """Look at the clock."""
        self.end = time.monotonic() + 60 * self.minutes

    def on_epoch(self, history: History) -> None:
        """End training where the time is up."""
        if time.monotonic() >= self.end:
            raise StopTraining


def rows_of(table: str, data: Dataset, model: Model, effort: Effort, *, in_bits: bool = False) -> Iterator[Row]:
    """Train a model, and return a row for each estimator: theirs, of the guide alone, and ours, refined.

    Args:
        table: the name of the published table.
        data: to train on, and to score.
        model: which one.
        effort: how much.
        in_bits: whether the table is in bits per dimension, and not in nats.

    Raises:
        UsageError: for a run folder that holds another training, or one of more epochs.
        KeyboardInterrupt: where training was interrupted.
    """
    with tempfile.TemporaryDirectory() if effort.runs is None else nullcontext(effort.runs) as folder:
        run = _trained(Path(folder) / model.name, data, model, effort)
    history = run.history
    assert history.best is not None
    trained = history.epochs[-1].seconds
    note = f"{len(history)} of {run.config['training']['epochs']} epochs ({history.stopped}), best {history.best.epoch}"
    for proposal, particles, theirs in (
        (Amortised(), effort.particles, model.theirs),
        (Refined(), REFINED_PARTICLES, None),
    ):
        yield _scored(run, table, model, proposal, particles, theirs, effort, trained, note, in_bits)


def _scored(
    run: Run,
    table: str,
    model: Model,
    proposal: Proposal,
    particles: int,
    theirs: float | None,
    effort: Effort,
    trained: float,
    note: str,
    in_bits: bool,
) -> Row:
    start = time.perf_counter()
    x = run.data.test[: effort.limit]
    found = log_likelihood(run.model, run.guide, x, particles, proposal=proposal, seed=effort.seed).summary()
    seconds = time.perf_counter() - start
    value, error = -found["nats_per_datum"], found["standard_error"]
    if in_bits:
        value, error = found["bits_per_dim"], error * found["bits_per_dim"] / value
    flagged = f", {found['flagged']:.0%} of the estimates flagged" if found["flagged"] else ""
    return Row(
        table,
        run.data.name,
        f"{model.method}, {proposal.name} {particles}",
        "bits per dimension" if in_bits else "−log p, nats",
        theirs,
        value,
        error,
        trained + seconds,
        f"{note}; {len(x)} test data{flagged}",
    )


def _trained(folder: Path, data: Dataset, model: Model, effort: Effort) -> Run:
    training = {**model.training, "seed": effort.seed}
    if effort.epochs is not None:
        training["epochs"] = effort.epochs
    callbacks = [] if effort.minutes is None else [Minutes(effort.minutes)]
    if not folder.exists():
        run = train_run(model.observation, data, folder, **model.networks, **training, callbacks=callbacks)
    else:
        run = load_run(folder, data=data)
        _require_same(folder, run.config, {"observation": model.observation, **model.networks}, training)
        stopped, done, epochs = run.config["outcome"]["stopped"], len(run.history), training["epochs"]
        if done > epochs:
            raise UsageError(
                f"{folder} holds a training of {done} epochs, but {epochs} are asked for: ask for {done} or more, or "
                "name another folder for the runs"
            )
        if stopped in _UNFINISHED or (stopped == "finished" and done < epochs):
            run = resume_run(folder, data=data, epochs=epochs, callbacks=callbacks)
    if run.history.stopped == "interrupted":
        raise KeyboardInterrupt
    return run


def _require_same(
    folder: Path, config: Mapping[str, Any], networks: Mapping[str, Any], training: Mapping[str, Any]
) -> None:
    """Refuse a run of another training; with another number of epochs it is the same."""
    wanted = {**networks, **{name: value for name, value in training.items() if name != "epochs"}}
    there = {**config, **config["training"]}
    for name, value in wanted.items():
        value = list(value) if isinstance(value, tuple) else value
        if there.get(name) != value:
            raise UsageError(
                f"{folder} holds another training: {name} is {there.get(name)!r}, but {value!r} is needed; name "
                "another folder for the runs"
            )
