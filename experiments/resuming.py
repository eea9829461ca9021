"""Going on with the training of a run."""

from collections.abc import Sequence
from pathlib import Path

import torch

from obsvae.data import Dataset
from obsvae.errors import UsageError
from obsvae.experiments.run import Run, load_run
from obsvae.experiments.run_folder import RunFolder
from obsvae.experiments.shares import SaveShares
from obsvae.experiments.state_file import load_state
from obsvae.experiments.training import draw_training
from obsvae.inference import Callback, fit


def resume_run(
    folder: str | Path,
    *,
    data: Dataset | None = None,
    epochs: int | None = None,
    patience: int | None = None,
    device: torch.device | str = "cpu",
    callbacks: Sequence[Callback] = (),
    progress: bool = True,
) -> Run:
    """Go on with a run that was interrupted or killed, or has had its epochs: as if it had never ended.

    Weights, history and random numbers are those of a run that was never interrupted. It goes on from the latest epoch
    whose state was saved: each, but at most once a second, and for at most a twentieth of the time.

    Args:
        folder: of the run.
        data: those that it was trained on, where they were in memory.
        epochs: passes over the training data at most, those that are done among them; None: as before.
        patience: epochs without improvement after which training stops; None: as before.
        device: where to train.
        callbacks: what else to do at the start, after each epoch, and in the end.
        progress: show a progress bar.

    Raises:
        UsageError: for a folder that holds no run or no state of its training, a training that has ended and is not to
            go on for longer, or data other than those of the run; nothing is written then.
        TrainingDiverged: as :func:`train_run`.
    """
    folder = Path(folder)
    run = load_run(folder, data=data)
    state = load_state(folder)
    if (stopped := str(run.config["outcome"]["stopped"])).startswith("diverged"):
        raise UsageError(f"the training of {folder} {stopped}, and would again; train it with other options")
    changed = {"epochs": epochs, "patience": patience}
    training = run.config["training"] | {name: value for name, value in changed.items() if value is not None}
    where = torch.device(device)
    model, guide, there = run.model.to(where), run.guide.to(where), run.data.to(where)
    keeper = RunFolder(folder, {**run.config, "training": training, "device": where.type}, model, guide)
    of_table = [] if there.columns is None else [SaveShares.after(folder, there, len(state.history))]
    history = fit(
        model, guide, there, **training, callbacks=[keeper, *of_table, *callbacks], progress=progress, resume=state
    )
    found = Run(folder, keeper.config, model, guide)
    found.data, found.history = run.data, history
    draw_training(found)
    return found
