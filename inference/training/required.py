"""What training needs, and what is refused before its first step."""

from collections.abc import Sequence
from typing import Any

from obsvae.errors import UsageError
from obsvae.inference.conditions import rows_of
from obsvae.inference.modes import device_of, unchecked
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel, TrainingData
from obsvae.inference.sites import require_pair, require_sites
from obsvae.inference.training.budget import Budget
from obsvae.inference.training.callbacks import Callback
from obsvae.inference.training.history import Epoch
from obsvae.inference.training.state import TrainingState
from obsvae.modes import evaluating, seeded
from obsvae.whole_numbers import require_number, require_positive, require_seed, whole, whole_or_none


def require_trainable(
    model: GenerativeModel,
    guide: AmortisedGuide,
    data: TrainingData,
    callbacks: Sequence[Callback] = (),
    resume: TrainingState | None = None,
) -> None:
    """Check the pair, the data, who listens, and the state to go on from."""
    require_listeners(callbacks, resume)
    require_pair(model, guide)
    if lacking := [name for name in ("train", "validation", "epoch", "given") if not hasattr(data, name)]:
        raise UsageError(f"fit needs a dataset, load(x), but got {type(data).__name__}, without {', '.join(lacking)}")
    for split, part in {"train": data.train, "validation": data.validation}.items():
        if not len(part):
            raise UsageError(f"the {split} split is empty; fit needs data to train on and data to validate on")
        if part.device != device_of(model):
            raise UsageError(f"the model is on {device_of(model)}, but the data are on {part.device}; move one of them")
        model.check(part, c=data.given.get(split))
    # A look that leaves random state, and statistics such as those of batch normalisation, alone.
    with evaluating(model, guide), seeded(0, device_of(model)), unchecked():
        require_sites(model, guide, data.train[:2], rows_of(data.given.get("train"), slice(2)))


def require_settings(lr: float, weight_decay: float, averaging: float | None, kl_warmup: int, kl_cycles: int) -> None:
    """Check that arguments of :func:`fit` are in range, and go together."""
    whole("kl_warmup", kl_warmup, least=0)
    if whole("kl_cycles", kl_cycles) > 1 and not kl_warmup:
        raise UsageError(f"kl_cycles={kl_cycles} needs kl_warmup, the epochs over which the weight rises each time")
    require_number("weight_decay", weight_decay, 0.0)
    if lr * weight_decay >= 1.0:
        raise UsageError(f"weight_decay needs to be below 1 / lr = {1 / lr:g}, but got {weight_decay:g}")
    if averaging is not None:
        require_number("averaging", averaging, 0.0)
        if not 0.0 < averaging < 1.0:
            raise UsageError(f"averaging needs a number above 0 and below 1, such as 0.999, but got {averaging:g}")


def require_arguments(
    *, epochs: Any, patience: Any, batch_size: Any, lr: Any, clip: Any, seed: Any, compiled: Any, **flags: Any
) -> None:
    """Check the types and ranges of what :func:`fit` is given beside the pair and the data; ``flags`` are on or off."""
    whole_or_none("epochs", epochs)
    whole_or_none("patience", patience)
    whole("batch_size", batch_size)
    require_positive("lr", lr)
    if clip is not None:
        require_positive("clip", clip)
    require_seed(seed)
    require_compiled(compiled)
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise UsageError(f"{name} needs to be True or False, but got {value!r}")


def require_compiled(compiled: Any) -> None:
    """Refuse anything but the three choices that there are."""
    if not (isinstance(compiled, bool) or (isinstance(compiled, str) and compiled == "auto")):
        raise UsageError(f"compiled needs to be True, False or 'auto', but got {compiled!r}")


def require_listeners(callbacks: Sequence[Callback], resume: TrainingState | None) -> None:
    """Refuse callbacks, and a state to go on from, of other types."""
    if not isinstance(callbacks, Sequence):
        raise UsageError(f"callbacks need to be a list of obsvae.Callback, but got {type(callbacks).__name__}")
    if others := [type(one).__name__ for one in callbacks if not isinstance(one, Callback)]:
        raise UsageError(f"callbacks need to be objects of obsvae.Callback, but one is of type {others[0]}")
    if resume is not None and not isinstance(resume, TrainingState):
        raise UsageError(
            "resume needs the state of a training, as Callback.on_state is told of it, but got "
            f"{type(resume).__name__}; of a run folder resume_run(folder) takes it"
        )


def epochs_before(state: TrainingState, budget: Budget, steps: int) -> list[Epoch]:
    """Return the epochs of a training that goes on, if there are more to come."""
    history = state.history
    done, best = len(history), history.best
    if not best or history.epochs[-1].step != done * steps:
        made = history.epochs[-1].step if done else 0
        raise UsageError(
            f"resume needs the state of a training of {steps} steps an epoch, but holds {made} steps in {done} epochs; "
            "resume with the data and batch_size of before"
        )
    if done >= budget.epochs:
        raise UsageError(
            f"resume holds {done} epochs, which are all that were asked for; ask for more, such as epochs={2 * done}"
        )
    if budget.patience is not None and done - best.epoch >= budget.patience:
        raise UsageError(
            f"training had ended by patience={budget.patience}: of {done} epochs the best was {best.epoch}; ask "
            f"for more, such as patience={2 * (done - best.epoch)}"
        )
    return history.epochs
