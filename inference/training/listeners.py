"""Those who are told how a training goes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pyro
import torch

from obsvae.inference.processes.alone import Processes
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.training.callbacks import Callback, StopTraining
from obsvae.inference.training.history import History
from obsvae.inference.training.state import TrainingState


class Listeners:
    """The callbacks of a training, which the first of its processes calls while the others wait.

    They may draw numbers, and arguments are checked as their program does it: training goes on as if they had not.

    Args:
        callbacks: of the caller.
        processes: that share the training.
        device: where it draws numbers.
    """

    def __init__(self, callbacks: Sequence[Callback], processes: Processes, device: torch.device) -> None:
        self.callbacks, self.processes = callbacks, processes
        self.devices = [device] if device.type == "cuda" else []
        self.is_checked = pyro.settings.get("validate_poutine")
        self.keepers = [callback for callback in callbacks if type(callback).on_state is not Callback.on_state]

    def start(self, model: GenerativeModel, guide: AmortisedGuide) -> None:
        """Tell of the start."""

        def tell() -> None:
            for callback in self.callbacks:
                callback.on_start(model, guide)

        self.processes.lead(tell)

    def epoch(self, state: Callable[[], TrainingState], history: History) -> None:
        """Tell of an epoch.

        Args:
            state: returns where training stands, for those who keep that.
            history: the epochs so far.

        Raises:
            StopTraining: where one of them asks for it, in all processes.
        """

        def tell() -> None:
            with self._aside():
                if self.keepers:
                    now = state()
                    for callback in self.keepers:
                        callback.on_state(now)
                for callback in self.callbacks:
                    callback.on_epoch(history)

        self.processes.lead(tell, StopTraining, KeyboardInterrupt)

    def end(self, history: History) -> None:
        """Tell of the end; nobody waits."""
        if self.processes.is_first:
            with self._aside():
                for callback in self.callbacks:
                    callback.on_end(history)

    @contextmanager
    def _aside(self) -> Iterator[None]:
        with torch.random.fork_rng(devices=self.devices), pyro.validation_enabled(self.is_checked):
            yield
