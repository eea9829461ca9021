"""Training by stochastic variational inference."""

import math
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from typing import Literal

import torch
from pyro.infer import ELBO
from tqdm import tqdm

from obsvae.inference.conditions import batches, minibatches, rows_of
from obsvae.inference.modes import device_of, unchecked
from obsvae.inference.processes.alone import ALONE, Processes
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel, TrainingData
from obsvae.inference.sites import posterior
from obsvae.inference.training.average import Average
from obsvae.inference.training.budget import Budget
from obsvae.inference.training.callbacks import Callback, StopTraining
from obsvae.inference.training.diverged import TrainingDiverged
from obsvae.inference.training.history import Epoch, History
from obsvae.inference.training.kept import finish, snapshot
from obsvae.inference.training.listeners import Listeners
from obsvae.inference.training.objectives.products import PRECISIONS, Precision
from obsvae.inference.training.objectives.registry import make_objective
from obsvae.inference.training.required import epochs_before, require_arguments, require_settings, require_trainable
from obsvae.inference.training.schedules import kl_weight, make_schedule
from obsvae.inference.training.state import TrainingState
from obsvae.inference.training.steps.choice import Validation, step_for
from obsvae.inference.training.steps.shared_objective import require_shares
from obsvae.inference.training.steps.step import Decay
from obsvae.inference.training.steps.together import require_graphs, require_together
from obsvae.modes import evaluating, one_thread, seeded
from obsvae.names import lookup

# Data at a time, for what is estimated from the training set as a whole.
_UPDATE_BATCH = 500


@one_thread()
def fit(
    model: GenerativeModel,
    guide: AmortisedGuide,
    data: TrainingData,
    *,
    epochs: int | None = None,
    batch_size: int = 100,
    lr: float = 1e-3,
    schedule: str = "constant",
    weight_decay: float = 0.0,
    averaging: float | None = None,
    kl_warmup: int = 0,
    kl_cycles: int = 1,
    patience: int | None = None,
    clip: float | None = None,
    objective: str | ELBO = "elbo",
    exported: bool = True,
    compiled: bool | Literal["auto"] = "auto",
    precision: Precision = "f32",
    seed: int = 0,
    progress: bool = True,
    callbacks: Sequence[Callback] = (),
    resume: TrainingState | None = None,
    processes: Processes = ALONE,
) -> History:
    r"""Maximise the ELBO of a model/guide pair over minibatches with Adam, and keep the weights of the best epoch.

    .. math:: \sum_{i \in \text{batch}} \mathbb{E}_{q(z \mid x_i)}[\log p(x_i \mid z)]
              - \beta \, \mathrm{KL}(q(z \mid x_i) \,\|\, p(z))

    with β = 1, or less during the warm-up; 0 for a guide without a density, a plain autoencoder.

    A pair that was never trained starts from the training data: the output bias, scales, and the encoder's input
    statistics. One that was goes on from the weights it has.

    Args:
        model: the generative model.
        guide: its guide.
        data: training and validation data, on the model's device.
        epochs: passes over the training data at most. None: until the validation ELBO has stopped improving, and at
            most 200 epochs or 20,000 steps, whichever is more.
        batch_size: data in a minibatch.
        lr: Adam's learning rate at first.
        schedule: how it changes: a name in ``SCHEDULES``, with options where wanted, such as ``plateau:patience=10``.
        weight_decay: share of the learning rate by which each step draws the weights of linear maps and convolutions
            to 0, as AdamW does; biases, scales and what else is learned are left out.
        averaging: decay of an exponential moving average of the weights, such as 0.999, see :class:`Average`. It is
            what is validated, shown to callbacks and kept; training goes on with the weights. None: no average.
        kl_warmup: epochs over which β rises linearly, step by step, from 0 to its full value.
        kl_cycles: how often it does, see :func:`kl_weight`.
        patience: stop after this many epochs without a better validation ELBO. None: never where ``epochs`` is given,
            and else after 10 epochs and 1000 steps.
        clip: greatest norm of the gradient of the mean loss per datum. None: no limit.
        objective: what is maximised: a name in ``OBJECTIVES``, with options where wanted, such as
            ``iwae:particles=10``, or a Pyro ELBO, see :func:`make_objective`.
        exported: run the ELBO as a graph traced by :func:`torch.export.export`, without Pyro's running costs. False
            runs the Pyro program at every step, as is done after a warning where it is no graph: for models with
            branches on data.
        compiled: run loss, gradient and update as one function compiled by :func:`torch.compile`, which a C++ compiler
            or a GPU must be there for. ``"auto"``: where they are, and the steps to be taken pay for it. The numbers
            are those of uncompiled steps but for rounding.
        precision: ``"bf16"`` takes the products of the networks' linear maps and convolutions in bfloat16, with 8
            significant bits, in the steps alone: weights, sums, densities, validation and other products, such as those
            of recurrent layers, stay as they are, in float32. It needs ``exported``, and one process. It is faster
            where the processor multiplies such numbers (AVX-512 BF16, AMX, a GPU) and layers are wide.
        seed: of minibatches, draws of z and noise in the data. The initial weights are the caller's.
        progress: show a progress bar where standard error is a terminal.
        callbacks: called at the start, after each epoch, when they may raise :class:`StopTraining`, and at the end.
        resume: where a training of the same pair, data and arguments has stood, as :meth:`Callback.on_state` is told:
            it goes on from there as if it had never ended. ``epochs`` and ``patience`` may be others than before.
        processes: that share the training, as :func:`join` returns them, where each calls this function with the same
            arguments and data. They share the rows of each minibatch, so that the result is that of one process but
            for rounding. The first one calls the callbacks. ``exported`` is needed, and nothing is compiled.

    Returns:
        The history; ``history.best`` is the epoch whose weights model and guide have, in evaluation mode. An interrupt
        from the keyboard ends training in the same orderly way.

    Raises:
        UsageError: for data outside the observation's support, of the wrong shape or on another device, a guide whose
            latent sites or shapes are not the model's, arguments out of range, the state of another training, or what
            processes cannot share.
        TrainingDiverged: where the loss, the weights or the validation ELBO are not finite; it names the step that
            made them so. Model and guide then have the weights of the best epoch before, or the initial ones.
    """
    numbers = {"epochs": epochs, "patience": patience, "batch_size": batch_size, "lr": lr, "clip": clip, "seed": seed}
    require_arguments(**numbers, compiled=compiled, exported=exported, progress=progress)
    require_trainable(model, guide, data, callbacks, resume)
    require_settings(lr, weight_decay, averaging, kl_warmup, kl_cycles)
    rate = make_schedule(schedule)
    products = lookup("precision", precision, PRECISIONS)
    require_graphs(exported, compiled, products, processes)
    loss = make_objective(objective, model, guide)
    c = data.given.get("train")
    with evaluating(model, guide), seeded(0, device_of(model)), unchecked():
        loss.check(data.train[:2], rows_of(c, slice(2)))
    if not model.initialised:
        model.initialise(data.train, c)
    if not guide.initialised:
        guide.initialise(data.train)
    if processes.size > 1:
        loss.train()
        require_shares(loss, data.train, c)
    parameters = list(loss.parameters())
    device = device_of(model)
    budget = Budget.of(epochs, patience, rows=len(data.train), batch_size=batch_size)
    steps = -(-len(data.train) // batch_size)
    # A point mass has no KL term that would be finite.
    full = 1.0 if guide.has_density else 0.0
    history = History(objective=loss.bound, averaging=averaging)
    if resume is not None:
        history.epochs += epochs_before(resume, budget, steps)
    best, updates = snapshot(loss), len(history) * steps
    seconds = history.epochs[-1].seconds if history.epochs else 0.0
    # fused: one pass over the parameters instead of a dozen
    adam = torch.optim.Adam(parameters, lr=lr, fused=True)
    generator = torch.Generator(device).manual_seed(seed)
    average = None if averaging is None else Average(averaging, loss, updates)
    if resume is not None:
        best = resume.restore(loss, adam, generator, average)
    processes.spread(loss.state_dict().values())
    listeners = Listeners(callbacks, processes, device)
    listeners.start(model, guide)
    is_shown = progress and processes.is_first
    bar = tqdm(total=budget.epochs * steps, initial=updates, unit="step", disable=None if is_shown else True)
    take = step_for(
        loss,
        adam,
        clip,
        Decay(weight_decay, loss),
        exported=exported,
        compiled=compiled,
        products=products,
        batch_size=min(batch_size, len(data.train)),
        most=budget.epochs * steps,
        may_end=budget.patience is not None,
        tell=lambda line: None if bar.disable else bar.write(line, file=sys.stderr),
        processes=processes,
    )
    validate = Validation(loss, full, data.validation, data.given.get("validation"), seed, processes)
    with seeded(seed, device), unchecked(), bar, processes.deferring_interrupts():
        if resume is not None:
            resume.restore_random(generator)
            take.go_on(updates, resume.is_compiled)
        try:
            for epoch in range(len(history) + 1, budget.epochs + 1):
                bar.set_description(f"epoch {epoch}/{budget.epochs}")
                start = time.perf_counter()
                bounds = [one.validation_elbo for one in history]
                loss.train()
                total = torch.zeros((), device=device)
                for i, (x, given) in enumerate(minibatches(data.epoch(generator), c, batch_size)):
                    step = (epoch - 1) * steps + i + 1
                    beta = full * kl_weight(step, steps, kl_warmup, kl_cycles)
                    adam.param_groups[0]["lr"] = lr * rate.factor(step - 1, budget.epochs * steps, steps, bounds)
                    total += take(x, x.new_tensor(beta), given) * len(x)
                    updates = step
                    if average is not None:
                        average.update()
                    bar.update()
                train_elbo = -total.item() / len(data.train)
                seconds += time.perf_counter() - start
                require_together(parameters, generator, processes)
                if average is not None:
                    processes.spread([*loss.state_dict().values(), *average.averages])
                with nullcontext() if average is None else average.in_place() as going_on:
                    with evaluating(model, guide):
                        each = batches(data.train, c, _UPDATE_BATCH)
                        model.update((posterior(guide, x, given).sample(), x, given) for x, given in each)
                        processes.spread(loss.state_dict().values())
                        validation = validate()
                    if not math.isfinite(validation):
                        raise FloatingPointError(f"the validation {history.objective} is {validation:g}")
                    if not history.best or validation > history.best.validation_elbo:
                        best = snapshot(loss)
                    history.epochs.append(Epoch(epoch, step, train_elbo, validation, beta, seconds))
                    shown = {history.objective: f"{train_elbo:.2f}", "validation": f"{validation:.2f}"}
                    bar.set_postfix(shown, seconds=f"{seconds:.0f}")
                    compiled_by_now = take.is_compiled is True
                    now = partial(TrainingState.of, loss, adam, generator, best, history, compiled_by_now, going_on)
                    listeners.epoch(now, history)
                if budget.patience is not None and history.best and epoch - history.best.epoch >= budget.patience:
                    history.stopped = "patience"
                    break
        except StopTraining:
            history.stopped = "callback"
        except KeyboardInterrupt:
            history.stopped = "interrupted"
        except (FloatingPointError, torch.linalg.LinAlgError) as error:  # of a matrix that is not finite
            why = str(error)
            # Gradients are not looked at in each step: one that is not finite shows in the next step's loss.
            if updates and not all(bool(p.isfinite().all()) for p in parameters):
                step, why = updates, "its gradient or its update is not finite"
                epoch = -(-step // steps)
            history.stopped = f"diverged at step {step}"
            finish(loss, best, history, listeners)
            weights = "those of the best epoch" if len(history) else "the initial ones"
            raise TrainingDiverged(
                f"training stopped at step {step} (epoch {epoch}): {why}; the weights kept are {weights}. Try a "
                "smaller learning rate, gradient clipping, or a larger floor of the scale",
                history,
            ) from None
    # Interrupted in the first epoch, training keeps the weights that it has reached.
    reached = {} if average is None else average.named()
    finish(loss, best if len(history) else snapshot(loss) | reached, history, listeners)
    return history
