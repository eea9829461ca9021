"""Training by stochastic variational inference."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import torch
from pyro.infer import ELBO, TraceMeanField_ELBO
from pyro.nn import PyroModule
from torch import Tensor
from tqdm import tqdm

from inference.history import Epoch, History
from inference.latents import outputs
from inference.modes import device_of, evaluating, seeded, unchecked
from inference.objective import ExportedObjective, Objective


class TrainingData(Protocol):
    """Data to train on: tensors ``(N, *event)`` in data units, on the model's device."""

    @property
    def train(self) -> Tensor: ...  # noqa: D102 - named as the data have it
    @property
    def validation(self) -> Tensor: ...  # noqa: D102 - named as the data have it
    def epoch(self, generator: torch.Generator) -> Tensor:
        """Return the training data of one epoch: ``train``, or a fresh draw where noise is added."""


class TrainingDiverged(ArithmeticError):  # noqa: N818 - it names what happened
    """Raised where the loss, the weights or the validation ELBO are no longer finite.

    Model and guide have the weights of the best epoch before, or the initial ones.

    Attributes:
        history: the epochs before.
    """

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


def fit(
    model: PyroModule,
    guide: PyroModule,
    data: TrainingData,
    *,
    epochs: int = 20,
    batch_size: int = 100,
    lr: float = 1e-3,
    kl_warmup: int = 0,
    patience: int | None = None,
    clip: float | None = None,
    elbo: ELBO | None = None,
    exported: bool = True,
    initialise: bool = True,
    seed: int = 0,
    progress: bool = True,
    after_epoch: Callable[[History], object] | None = None,
) -> History:
    r"""Maximise the ELBO of a model/guide pair over minibatches with Adam, and keep the weights of the best epoch.

    .. math:: \sum_{i \in \text{batch}} \mathbb{E}_{q(z \mid x_i)}[\log p(x_i \mid z)]
              - \beta \, \mathrm{KL}(q(z \mid x_i) \,\|\, p(z))

    with β the guide's ``kl_weight`` (1; 0 for a point mass) times the warm-up.

    Args:
        model: with ``observation`` and ``decoder``, a plate ``data``, and sites ``z`` and ``x``.
        guide: over the model's latent sites, with a ``kl_weight``, and with an ``encoder`` that can ``initialise(x)``
            unless that is left out.
        data: training and validation data, on the model's device.
        epochs: how many passes over the training data at most.
        batch_size: data in a minibatch.
        lr: Adam's learning rate.
        kl_warmup: epochs over which β rises linearly, step by step, from 0 to its full value.
        patience: stop after this many epochs without a better validation ELBO. None: never.
        clip: greatest norm of the gradient of the mean loss per datum. None: no limit.
        elbo: the Pyro objective; by default :class:`pyro.infer.TraceMeanField_ELBO`, with its analytic KL.
        exported: run the ELBO as a graph traced by :func:`torch.export.export`, without Pyro's running costs. False
            runs the Pyro program at every step: for models with branches on data.
        initialise: start the output bias, scales and the encoder's input statistics from the training data.
        seed: of minibatches, draws of z and noise in the data. The initial weights are the caller's.
        progress: show a progress bar where standard error is a terminal.
        after_epoch: called with the history so far after each epoch, when model and guide have that epoch's weights.

    Returns:
        The history; ``history.best`` is the epoch whose weights model and guide have, in evaluation mode. An interrupt
        from the keyboard ends training in the same orderly way.

    Raises:
        ValueError: for data outside the observation's support, of the wrong shape or on another device, or arguments
            out of range.
        TrainingDiverged: where the loss, the weights or the validation ELBO are not finite; it names the step that
            made them so. Model and guide then have the weights of the best epoch before, or the initial ones.
    """
    _check(model, data, epochs=epochs, batch_size=batch_size, lr=lr, patience=patience, clip=clip)
    if kl_warmup < 0:
        raise ValueError(f"kl_warmup must be 0 or more epochs, but got {kl_warmup}")
    objective = Objective(model, guide, TraceMeanField_ELBO() if elbo is None else elbo)
    if initialise:
        model.initialise(data.train)
        guide.encoder.initialise(data.train)
    loss_of = ExportedObjective(objective) if exported else objective
    # fused: one pass over the parameters instead of a dozen
    parameters = list(objective.parameters())
    optimiser = torch.optim.Adam(parameters, lr=lr, fused=True)
    device = device_of(model)
    steps = -(-len(data.train) // batch_size)
    bound = guide.kl_weight == 1 and not model.observation.corrections()
    history = History(objective="ELBO" if bound else "objective")
    best, seconds, updates = _snapshot(objective), 0.0, 0
    bar = tqdm(total=epochs * steps, unit="step", disable=None if progress else True)
    with seeded(seed, device), unchecked(), bar:
        generator = torch.Generator(device).manual_seed(seed)
        try:
            for epoch in range(1, epochs + 1):
                bar.set_description(f"epoch {epoch}/{epochs}")
                start = time.perf_counter()
                objective.train()
                total = torch.zeros((), device=device)
                for i, x in enumerate(_batches(data.epoch(generator), batch_size)):
                    step = (epoch - 1) * steps + i + 1
                    beta = guide.kl_weight * (min(1.0, step / (kl_warmup * steps)) if kl_warmup else 1.0)
                    total += _step(loss_of, parameters, optimiser, x, beta, clip) * len(x)
                    updates = step
                    bar.update()
                train_elbo = -total.item() / len(data.train)
                seconds += time.perf_counter() - start
                with evaluating(model, guide):
                    model.observation.update(outputs(model, guide, data.train))
                    validation = _mean_elbo(objective, guide.kl_weight, data.validation, seed)
                if not math.isfinite(validation):
                    raise FloatingPointError(f"the validation {history.objective} is {validation:g}")
                history.epochs.append(Epoch(epoch, step, train_elbo, validation, beta, seconds))
                shown = {history.objective: f"{train_elbo:.2f}", "validation": f"{validation:.2f}"}
                bar.set_postfix(shown, seconds=f"{seconds:.0f}")
                if history.best is history.epochs[-1]:
                    best = _snapshot(objective)
                if after_epoch is not None:
                    after_epoch(history)
                if patience is not None and history.best and epoch - history.best.epoch >= patience:
                    history.stopped = "patience"
                    break
        except KeyboardInterrupt:
            history.stopped = "interrupted"
        except FloatingPointError as error:
            why = str(error)
            # Gradients are not looked at in each step: one that is not finite shows in the next step's loss.
            if updates and not all(bool(p.isfinite().all()) for p in parameters):
                step, why = updates, "its gradient or its update is not finite"
                epoch = -(-step // steps)
            history.stopped = f"diverged at step {step}"
            objective.load_state_dict(best)
            objective.eval()
            weights = "those of the best epoch" if len(history) else "the initial ones"
            raise TrainingDiverged(
                f"training stopped at step {step} (epoch {epoch}): {why}; the weights kept are {weights}. Try a "
                "smaller learning rate, gradient clipping, or a larger floor of the scale",
                history,
            ) from None
    if len(history):
        objective.load_state_dict(best)
    objective.eval()
    return history


def _step(
    loss_of: Callable[[Tensor, Tensor], Tensor],
    parameters: Sequence[Tensor],
    optimiser: torch.optim.Optimizer,
    x: Tensor,
    beta: float,
    clip: float | None,
) -> Tensor:
    """Take one step on a minibatch and return the loss per datum, which must be finite."""
    loss = loss_of(x, x.new_tensor(beta))
    optimiser.zero_grad()
    loss.backward()
    if not math.isfinite(loss.item()):
        raise FloatingPointError(f"the loss is {loss.item():g}")
    if clip is not None:
        torch.nn.utils.clip_grad_norm_(parameters, clip)
    optimiser.step()
    return loss.detach()


def _batches(x: Tensor, batch_size: int) -> Iterator[Tensor]:
    for index in torch.randperm(len(x), device=x.device).split(batch_size):
        yield x[index]


def _mean_elbo(objective: Objective, beta: float, x: Tensor, seed: int, batch_size: int = 500) -> float:
    # The same draws of z at every epoch: differences between epochs are then those of the weights.
    with seeded(seed, x.device):
        losses = [objective(batch, x.new_tensor(beta)).item() * len(batch) for batch in x.split(batch_size)]
    return -sum(losses) / len(x)


def _snapshot(module: torch.nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def _check(model: PyroModule, data: TrainingData, **arguments: float | None) -> None:
    for name, value in arguments.items():
        if value is not None and not value > 0:
            raise ValueError(f"{name} must be positive, but got {value:g}")
    for split, part in {"train": data.train, "validation": data.validation}.items():
        if not len(part):
            raise ValueError(f"the {split} split is empty; fit needs data to train on and data to validate on")
        if part.device != device_of(model):
            raise ValueError(f"the model is on {device_of(model)}, but the data are on {part.device}; move one of them")
        model.check(part)
