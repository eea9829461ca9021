"""Training as every command does it: data, a pair, and a run folder that is kept up to date."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import torch

from obsvae import inference  # a figure loads matplotlib when it is first asked for
from obsvae.data import Dataset
from obsvae.data.splits import SPLITS
from obsvae.errors import UsageError
from obsvae.experiments.architectures import sizes_of
from obsvae.experiments.doors import as_device, as_path
from obsvae.experiments.files import save_figure
from obsvae.experiments.given import given
from obsvae.experiments.own.imported import FORM
from obsvae.experiments.pair import make_pair
from obsvae.experiments.runs.folder import FIGURES, NewRunFolder
from obsvae.experiments.runs.run import FORMAT, Run, observed
from obsvae.experiments.runs.shares import SaveShares
from obsvae.inference import Callback, fit, prior_means, reproduce, reproduce_columns
from obsvae.inference.modes import device_of
from obsvae.inference.processes.alone import ALONE, Processes
from obsvae.inference.training.budget import Budget
from obsvae.inference.training.objectives.products import Precision
from obsvae.inference.training.required import require_compiled, require_listeners
from obsvae.model import resolved
from obsvae.whole_numbers import whole, whole_or_none

# Rows of a table whose reproductions are drawn.
_REPRODUCED = 1000


def train_run(
    observation: str,
    data: Dataset,
    out: str | Path | None = None,
    *,
    latent: int = 40,
    hidden: Sequence[int] | None = None,
    architecture: str = "mlp",
    guide: str = "normal",
    prior: str = "standard-normal",
    decoder: str | None = None,
    encoder: str | None = None,
    epochs: int | None = None,
    batch_size: int = 100,
    lr: float = 1e-3,
    objective: str = "elbo",
    schedule: str = "constant",
    weight_decay: float = 0.0,
    averaging: float | None = None,
    kl_warmup: int = 0,
    kl_cycles: int = 1,
    patience: int | None = None,
    clip: float | None = None,
    compiled: bool | Literal["auto"] = "auto",
    precision: Precision = "f32",
    seed: int = 0,
    device: torch.device | str = "cpu",
    callbacks: Sequence[Callback] = (),
    progress: bool = True,
    processes: Processes = ALONE,
) -> Run:
    """Train a pair, and leave a run folder that is whole at every moment.

    Args:
        observation: p(x | z) as a text, such as ``"normal:scale=decoder"``; ``"by-column"`` for the families that a
            table's schema names.
        data: what to train on.
        out: the folder, which must not exist; by default ``runs/DATA-OBSERVATION``.
        latent: size of z.
        hidden: sizes of the hidden layers from x to z, mirrored in the decoder; by default the architecture's own.
        architecture: of the networks, a name in ``ARCHITECTURES``, with options where wanted, such as
            ``mlp:activation=tanh``.
        guide: a name in ``GUIDES``, with options where wanted, such as ``low-rank:rank=8``.
        prior: a name in ``PRIORS``, likewise, such as ``mixture:components=20``.
        decoder: the class of a network of your own in the place of the architecture's, as ``package.module:Class``. It
            is imported here, and wherever the run is loaded.
        encoder: likewise.
        epochs: as :func:`fit` takes it, like all up to ``seed``; by default until validation has stopped improving.
        batch_size: data in a minibatch.
        lr: Adam's learning rate at first.
        objective: what is maximised, a name in ``OBJECTIVES``, with options where wanted.
        schedule: of the learning rate, a name in ``SCHEDULES``, with options where wanted.
        weight_decay: share of the learning rate by which weights are drawn to 0.
        averaging: decay of an average of the weights, which is validated and kept; None: no average.
        kl_warmup: epochs over which the KL's weight rises.
        kl_cycles: how often it does.
        patience: epochs without improvement after which training stops.
        clip: greatest norm of the gradient; None: no limit.
        compiled: run each step as one compiled function, as :func:`fit` takes it.
        precision: of the products of networks in training, ``"f32"`` or ``"bf16"``.
        seed: of weights, minibatches and draws.
        device: where to train.
        callbacks: what else to do at the start, after each epoch, and in the end.
        progress: show a progress bar.
        processes: that share the training, as :func:`fit` takes them; the first one keeps the folder.

    Returns:
        The run, with model and guide on the device; ``run.history.stopped`` says how training ended.

    Raises:
        UsageError: for data that the observation is not for; nothing is written then.
        TrainingDiverged: the folder then holds the last good weights.
    """
    networks: dict[str, Any] = {
        "latent": latent,
        "hidden": sizes_of(architecture, hidden),
        "architecture": architecture,
        "guide": guide,
        "prior": prior,
        "decoder": decoder,
        "encoder": encoder,
    }
    for name, own in {"decoder": decoder, "encoder": encoder}.items():
        if not isinstance(own, str | None):
            raise UsageError(
                f"a run needs its {name} as the path of a class, {FORM}, which config.json can hold, but got "
                f"{type(own).__name__}; make_pair and fit take it as it is"
            )
    whole("batch_size", batch_size)
    whole("kl_warmup", kl_warmup, least=0)
    for name, passes in {"epochs": epochs, "patience": patience}.items():
        whole_or_none(name, passes)
    require_compiled(compiled)
    require_listeners(callbacks, None)
    training: dict[str, Any] = {
        "epochs": epochs,
        "batch_size": batch_size,
        "lr": lr,
        "objective": objective,
        "schedule": schedule,
        "weight_decay": weight_decay,
        "averaging": averaging,
        "kl_warmup": kl_warmup,
        "kl_cycles": kl_cycles,
        "patience": patience,
        "clip": clip,
        "compiled": compiled,
        "precision": precision,
        "seed": seed,
    }
    where = processes.device(as_device(device))
    observation = resolved(observation) if isinstance(observation, str) else observation
    if not isinstance(data, Dataset) or not isinstance(observation, str):
        raise UsageError(
            "a run needs a dataset, load(x), and an observation as a text, which config.json can hold, such as "
            f"'normal:scale=decoder'; got {type(data).__name__} and {type(observation).__name__}"
        )
    training |= asdict(Budget.of(epochs, patience, rows=len(data.train), batch_size=batch_size))
    model, proposal = make_pair(observation, data, seed=seed, **networks)
    for split in SPLITS:
        model.check(data.split(split), data.rows[split], data.given.get(split))
    model, proposal = model.to(where), proposal.to(where)
    config = {
        "format": FORMAT,
        "data": None if data.recipe is None else dict(data.recipe),
        "data_name": data.name,
        "data_sha256": data.sha256,
        "data_fingerprint": data.fingerprint,
        "observed": observed(data),
        "schema": None if data.schema is None else dict(data.schema),
        "observation": observation,
        **networks,
        "training": training,
        "device": where.type,
        "torch": torch.__version__,
    }
    folder = as_path(out or Path("runs") / f"{_stem(data)}-{model.observation.name}")
    processes.require_same("configuration", config)
    there = data.to(where)
    shares = [] if data.columns is None else [SaveShares(folder, there)]
    with NewRunFolder(folder, config, model, proposal, [one.save for one in shares]) as keeper:
        history = fit(
            model,
            proposal,
            there,
            **training,
            callbacks=[*shares, keeper, *callbacks],
            progress=progress,
            processes=processes,
        )
    # With the outcome, which the first process knows once it has saved all.
    run = Run(folder, processes.gather(keeper.config)[0], model, proposal)
    run.data, run.history = data, history
    if processes.is_first:
        draw_training(run)
    return run


def _stem(data: Dataset) -> str:
    """Return what data are called in the name of a folder; of a file for each split that to train on."""
    name = (data.recipe or {}).get("name", data.name)
    return Path(name["train"] if isinstance(name, Mapping) else name).stem


def draw_training(run: Run) -> None:
    """Draw how training went, and reproductions: of ten data, or of the columns of a table."""
    if run.history.best:
        save_figure(run.folder / FIGURES[0], inference.plot_history(run.history))
    seed, device = run.config["training"]["seed"], device_of(run.model)
    if run.data.columns is not None:
        first = slice(_REPRODUCED)
        x, c = run.data.validation[first].to(device), given(run.data, "validation", first, device)
        made = reproduce_columns(run.model, run.guide, x, run.data.columns, c=c, seed=seed)
        figure = inference.plot_column_reproductions(x.cpu().numpy(), made.cpu().numpy(), run.data.columns)
        save_figure(run.folder / FIGURES[1], figure)
        return
    few, c = run.data.validation[:10].to(device), given(run.data, "validation", slice(10), device)
    rows = {"data": few, "reproduction\n(mean)": reproduce(run.model, run.guide, few, c=c, seed=seed)}
    if run.guide.has_density:
        rows["mean at z\nfrom the prior"] = prior_means(run.model, len(few), c=c, seed=seed)
    limits = run.data.bounds or inference.limits_of(few.cpu().numpy(), run.data.unit_shape)
    save_figure(run.folder / FIGURES[1], inference.plot_reproductions(rows, limits))
