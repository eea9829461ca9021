"""Training as every command does it: from a configuration to a run folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from pair import build
from torch import nn

from data import Dataset, load
from guides import AmortisedDelta, AmortisedNormal
from inference import (
    History,
    TrainingDiverged,
    create_run,
    fit,
    plot_history,
    plot_reproductions,
    prior_means,
    reproduce,
    save_figure,
    save_history,
    save_json,
    save_weights,
)
from model import VAE

# What a caller does after each epoch: it sees the pair with that epoch's weights.
Watch = Callable[[VAE, nn.Module, History], object]


def train_run(
    config: dict[str, Any],
    training: dict[str, Any],
    where: torch.device,
    out: Path | None = None,
    *,
    data: Dataset | None = None,
    progress: bool = True,
    watch: Watch | None = None,
) -> tuple[Path, History, VAE, AmortisedNormal | AmortisedDelta]:
    """Train the pair that a configuration describes, and leave a run folder.

    Args:
        config: what :func:`pair.build` needs, and ``data`` with the arguments of ``data.load``.
        training: arguments of :func:`inference.fit`.
        where: the device.
        out: the folder, which must not exist; by default ``runs/DATA-OBSERVATION``.
        data: the data of the configuration, where they are loaded already.
        progress: show a progress bar.
        watch: called after each epoch.

    Raises:
        ValueError: for data that the observation is not for; nothing is written then.
        TrainingDiverged: the folder then holds the last good weights.
    """
    data = load(**config["data"]) if data is None else data
    torch.manual_seed(training["seed"])
    model, guide = build(config, data)
    for split in ("train", "validation", "test"):
        model.check(data.split(split), data.rows[split])
    model.initialise(data.train)
    guide.encoder.initialise(data.train)
    data, model, guide = data.to(where), model.to(where), guide.to(where)
    out = create_run(out or Path("runs") / f"{Path(config['data']['name']).stem}-{model.observation.name}")
    config = {
        **config,
        "data_sha256": data.sha256,
        "training": training,
        "device": where.type,
        "torch": torch.__version__,
    }
    save_json(out / "config.json", {**config, "outcome": {"stopped": "unfinished", "best_epoch": None}})

    def after_epoch(history: History) -> None:
        if history.best is history.epochs[-1]:
            save_weights(out, model, guide)
        save_history(out, history)
        if watch is not None:
            watch(model, guide, history)

    try:
        history = fit(model, guide, data, **training, initialise=False, progress=progress, after_epoch=after_epoch)
    except TrainingDiverged as error:
        _keep(out, model, guide, config, error.history)
        raise
    _keep(out, model, guide, config, history)
    if history.best:
        save_figure(out / "figures/learning_curve.png", plot_history(history))
    few = data.validation[:10]
    rows = {"data": few, "reproduction\n(mean)": reproduce(model, guide, few)}
    if guide.kl_weight:
        rows["mean at z\nfrom the prior"] = prior_means(model, len(few), seed=training["seed"])
    save_figure(out / "figures/reproductions.png", plot_reproductions(rows, data.bounds))
    return out, history, model, guide


def _keep(out: Path, model: VAE, guide: nn.Module, config: dict[str, Any], history: History) -> None:
    save_weights(out, model, guide)
    save_history(out, history)
    outcome = {"stopped": history.stopped, "best_epoch": history.best.epoch if history.best else None}
    save_json(out / "config.json", {**config, "outcome": outcome})
