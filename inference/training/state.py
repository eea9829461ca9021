"""Where training stands after an epoch: all that the rest of it depends on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from obsvae.errors import UsageError
from obsvae.inference.training.history import History

_WEIGHTS, _BEST, _ADAM, _RANDOM = "weights/", "best/", "adam/", "random/"


@dataclass(frozen=True)
class TrainingState:
    """All that the rest of a training depends on, after an epoch of :func:`fit`, which takes it as ``resume``.

    Attributes:
        tensors: by name: the weights (``weights/…``), those of the best epoch where that is another one (``best/…``),
            of each parameter the optimiser's ``step``, ``exp_avg`` and ``exp_avg_sq`` (``adam/…``), and the states of
            the random generators (``random/…``).
        history: the epochs so far.
        is_compiled: whether steps were run as one compiled function.
        is_last: whether training ends with this epoch.
    """

    tensors: Mapping[str, Tensor]
    history: History
    is_compiled: bool
    is_last: bool

    @classmethod
    def of(
        cls,
        objective: nn.Module,
        adam: torch.optim.Adam,
        generator: torch.Generator,
        best: Mapping[str, Tensor],
        history: History,
        is_compiled: bool,
        is_last: bool,
    ) -> Self:
        """Return the state of a training that is going on, as views: the next step changes them.

        Args:
            objective: which holds model and guide.
            adam: of its parameters.
            generator: of the noise in the data.
            best: the weights of the best epoch.
            history: the epochs so far.
            is_compiled: whether steps are compiled by now.
            is_last: whether training ends with this epoch.
        """
        tensors = {_WEIGHTS + name: value.detach() for name, value in objective.state_dict().items()}
        if history.best is not history.epochs[-1]:
            tensors |= {_BEST + name: value for name, value in best.items()}
        for name, parameter in objective.named_parameters():
            tensors |= {f"{_ADAM}{name}/{key}": value for key, value in adam.state.get(parameter, {}).items()}
        tensors |= {_RANDOM + name: value for name, value in _random(generator).items()}
        return cls(tensors, History([*history.epochs], history.stopped, history.objective), is_compiled, is_last)

    def restore(self, objective: nn.Module, adam: torch.optim.Adam, generator: torch.Generator) -> dict[str, Tensor]:
        """Put a training back to where it stood, and return the weights of the best epoch.

        Raises:
            UsageError: where it is the state of another pair, or of one on another kind of device.
        """
        device = generator.device
        weights = objective.state_dict()
        kept = self._named(_WEIGHTS)
        _require_same("weights", {n: v.shape for n, v in weights.items()}, {n: v.shape for n, v in kept.items()})
        random = _random(generator)
        _require_same("random generators", dict.fromkeys(random), dict.fromkeys(self._named(_RANDOM)))
        objective.load_state_dict(kept)
        for name, parameter in objective.named_parameters():
            # A parameter that the loss does not depend on has no state.
            if state := self._named(f"{_ADAM}{name}/"):
                adam.state[parameter] = {key: value.clone().to(device) for key, value in state.items()}
        torch.set_rng_state(self.tensors[_RANDOM + "torch"].cpu())
        if device.type == "cuda":
            torch.cuda.set_rng_state(self.tensors[_RANDOM + "cuda"].cpu(), device)
        generator.set_state(self.tensors[_RANDOM + "data"].cpu())
        return {name: value.clone().to(device) for name, value in (self._named(_BEST) or kept).items()}

    def _named(self, prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): value for name, value in self.tensors.items() if name.startswith(prefix)}


def _random(generator: torch.Generator) -> dict[str, Tensor]:
    """Return the states of the generators that training draws from."""
    states = {"torch": torch.get_rng_state(), "data": generator.get_state()}
    if generator.device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(generator.device)
    return states


def _require_same(what: str, needed: Mapping[str, object], found: Mapping[str, object]) -> None:
    if needed != found:
        name = sorted(n for n in {*needed, *found} if needed.get(n) != found.get(n))[0]
        raise UsageError(
            f"resume holds the {what} of another training: {name} is {_shown(found, name)}, but {_shown(needed, name)} "
            "is needed; resume with the pair and the kind of device of before"
        )


def _shown(values: Mapping[str, object], name: str) -> str:
    if name not in values:
        return "missing"
    value = values[name]
    return "there" if value is None else str(tuple(value) if isinstance(value, torch.Size) else value)
