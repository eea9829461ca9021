"""Where training stands after an epoch: all that the rest of it depends on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor, nn

from obsvae.errors import UsageError
from obsvae.inference.training.average import Average
from obsvae.inference.training.history import History

_WEIGHTS, _BEST, _ADAM, _RANDOM, _AVERAGE = "weights/", "best/", "adam/", "random/", "average/"


@dataclass(frozen=True)
class TrainingState:
    """All that the rest of a training depends on, after an epoch of :func:`fit`, which takes it as ``resume``.

    Attributes:
        tensors: by name: the weights (``weights/…``), those of the best epoch where that is another one (``best/…``),
            of each parameter the optimiser's ``step``, ``exp_avg`` and ``exp_avg_sq`` (``adam/…``), the average of the
            weights where there is one (``average/…``), and the states of the random generators (``random/…``).
        history: the epochs so far.
        is_compiled: whether steps were run as one compiled function.
    """

    tensors: Mapping[str, Tensor]
    history: History
    is_compiled: bool

    @classmethod
    def of(
        cls,
        objective: nn.Module,
        adam: torch.optim.Adam,
        generator: torch.Generator,
        best: Mapping[str, Tensor],
        history: History,
        is_compiled: bool,
        weights: Mapping[str, Tensor] | None = None,
    ) -> Self:
        """Return the state of a training that is going on, as copies.

        Args:
            objective: which holds model and guide.
            adam: of its parameters.
            generator: of the noise in the data.
            best: the weights of the best epoch.
            history: the epochs so far.
            is_compiled: whether steps are compiled by now.
            weights: those that training goes on with, by name, where the objective has their average for now.
        """
        now = objective.state_dict()
        tensors = {_WEIGHTS + name: value.detach().clone() for name, value in {**now, **(weights or {})}.items()}
        tensors |= {_AVERAGE + name: now[name].detach().clone() for name in weights or ()}
        if history.best is not history.epochs[-1]:
            tensors |= {_BEST + name: value for name, value in best.items()}
        for name, parameter in objective.named_parameters():
            tensors |= {f"{_ADAM}{name}/{key}": value.clone() for key, value in adam.state.get(parameter, {}).items()}
        tensors |= {_RANDOM + name: value for name, value in _random(generator).items()}
        return cls(tensors, replace(history, epochs=[*history.epochs]), is_compiled)

    def restore(
        self,
        objective: nn.Module,
        adam: torch.optim.Adam,
        generator: torch.Generator,
        average: Average | None = None,
    ) -> dict[str, Tensor]:
        """Put weights, their average and optimiser back to where they stood, and return the weights of the best epoch.

        Raises:
            UsageError: where it is the state of another pair, or of one on another kind of device; nothing is changed.
        """
        device = generator.device
        weights, kept, averages = objective.state_dict(), self._named(_WEIGHTS), self._named(_AVERAGE)
        if bool(averages) is not bool(average):
            held, asked = ("an average", "averaging=None") if averages else ("no average", "averaging")
            raise UsageError(
                f"resume holds {held} of the weights, but got {asked}; resume with the averaging of before"
            )
        _require_same("weights", {n: v.shape for n, v in weights.items()}, {n: v.shape for n, v in kept.items()})
        _require_same("random generators", dict.fromkeys(_random(generator)), dict.fromkeys(self._named(_RANDOM)))
        objective.load_state_dict(kept)
        if average is not None:
            average.restore(averages)
        for name, parameter in objective.named_parameters():
            # A parameter that the loss does not depend on has no state.
            if state := self._named(f"{_ADAM}{name}/"):
                adam.state[parameter] = {key: value.clone().to(device) for key, value in state.items()}
        return {name: value.clone().to(device) for name, value in (self._named(_BEST) or {**kept, **averages}).items()}

    def restore_random(self, generator: torch.Generator) -> None:
        """Put torch's generators, and that of the noise in the data, back to where they stood."""
        states = self._named(_RANDOM)
        torch.set_rng_state(states["torch"].cpu())
        if generator.device.type == "cuda":
            torch.cuda.set_rng_state(states["cuda"].cpu(), generator.device)
        generator.set_state(states["data"].cpu())

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
