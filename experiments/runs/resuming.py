"""Going on with the training of a run."""

import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch

from obsvae.data import Dataset
from obsvae.errors import UsageError
from obsvae.experiments.doors import as_path
from obsvae.experiments.files import load_config
from obsvae.experiments.lock import FolderLock
from obsvae.experiments.runs.folder import FIGURES, RunFolder
from obsvae.experiments.runs.run import Run, load_run
from obsvae.experiments.runs.shares import SaveShares
from obsvae.experiments.runs.state_file import load_state
from obsvae.experiments.runs.training import draw_training
from obsvae.inference import Callback, History, fit
from obsvae.inference.processes.alone import ALONE, Processes
from obsvae.whole_numbers import whole_or_none

# What evaluation has left, of the weights before.
_EVALUATED = ("metrics.json", "likelihood", "posterior.nc")


def resume_run(
    folder: str | Path,
    *,
    data: Dataset | None = None,
    epochs: int | None = None,
    patience: int | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool = True,
    processes: Processes = ALONE,
) -> Run:
    """Go on with a run that was interrupted or killed, or has had its epochs: as if it had never ended.

    Weights, history and random numbers are those of a run that was never interrupted. After an interrupt it goes on
    from the last finished epoch; after a kill from the latest whose state was saved, which is done once a second at
    most, and less often where it takes long. What a kill after the last epoch has left out is made up for. With other
    ``epochs`` a step that is compiled where that pays may be compiled earlier or later than if they had been asked for
    at first, which changes numbers by rounding.

    Args:
        folder: of the run.
        data: those that it was trained on, where they were in memory.
        epochs: passes over the training data at most, those that are done among them; None: as before.
        patience: epochs without improvement after which training stops; None: as before.
        callbacks: what else to do at the start, after each epoch, and in the end.
        progress: show a progress bar.
        processes: that share the training, as :func:`fit` takes them, as many as there are now; the first one keeps
            the folder.

    Raises:
        UsageError: for a folder that holds no run or no state of its training, or in which another process works, a
            training that has ended and is not to go on for longer, or data other than those of the run; nothing is
            written then.
        TrainingDiverged: as :func:`train_run`.
    """
    folder = as_path(folder)
    changed = {"epochs": whole_or_none("epochs", epochs), "patience": whole_or_none("patience", patience)}
    load_config(folder)  # where there is none, nothing can be locked
    with FolderLock(folder) if processes.is_first else nullcontext():
        run, state = load_run(folder, data=data), load_state(folder)
        if (stopped := str(run.config["outcome"]["stopped"])).startswith("diverged"):
            raise UsageError(f"the training of {folder} {stopped}, and would again; train it with other options")
        if (folder / "result.json").exists():
            raise UsageError(
                f"{folder} is a part of a comparison, whose runs are trained alike; train a run of its own"
            )
        training = run.config["training"] | {name: value for name, value in changed.items() if value is not None}
        loaded = run.data  # before anything is written: they may be gone
        ended = _end_of(state.history, training)
        if ended is not None and not is_complete(run):
            return _completed(run, state.history, ended, processes)
        device = processes.device(_device(run))
        processes.require_same("training", training)
        model, guide, there = run.model.to(device), run.guide.to(device), loaded.to(device)
        shares = [] if there.columns is None else [SaveShares.after(folder, there, len(state.history))]
        keeper = RunFolder(folder, {**run.config, "training": training}, model, guide, [one.save for one in shares])
        history = fit(
            model,
            guide,
            there,
            **training,
            callbacks=[*shares, keeper, *callbacks],
            progress=progress,
            resume=state,
            processes=processes,
        )
        found = Run(folder, processes.gather(keeper.config)[0], model, guide)
        found.data, found.history = loaded, history
        if processes.is_first:
            draw_training(found)
    if old := [name for name in _EVALUATED if (folder / name).exists()]:
        warnings.warn(f"{folder}: {', '.join(old)} tell of the weights before; evaluate the run again", stacklevel=2)
    return found


def _end_of(history: History, training: Mapping[str, Any]) -> str | None:
    """Return how a training has ended by its budget; None where there is more to do."""
    patience, best = training["patience"], history.best
    if patience is not None and best is not None and len(history) - best.epoch >= patience:
        return "patience"
    return "finished" if len(history) >= training["epochs"] else None


def is_complete(run: Run) -> bool:
    """Return whether a run has all that it leaves: its training has ended, and no kill came before its figures."""
    is_over = run.config["outcome"]["stopped"] not in ("unfinished", "interrupted")
    return is_over and all((run.folder / name).exists() for name in FIGURES)


def _completed(run: Run, history: History, ended: str, processes: Processes) -> Run:
    """Write what a run still lacks whose last state is that of its last epoch: its weights are the best by then."""
    history.stopped, history.averaging = ended, run.config["training"].get("averaging")
    keeper = RunFolder(run.folder, run.config, run.model, run.guide)
    run.history = history
    if processes.is_first:
        keeper.on_end(history)
        draw_training(run)
    run.config = processes.gather(keeper.config)[0]
    return run


def _device(run: Run) -> torch.device:
    """Return the device that a run was trained on, whose random numbers go on there alone."""
    device = torch.device(run.config["device"])
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UsageError(f"{run.folder} was trained on a GPU, and there is none here; resume it where there is one")
    return device
