"""The folder of a run while it is trained: kept up to date, whole at every moment."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from obsvae.data.tables.schemas.schema import schema_from
from obsvae.data.tables.schemas.toml import to_toml
from obsvae.experiments.files import create_run, removed_where_empty, save_history, save_json, save_text, save_weights
from obsvae.experiments.lock import FolderLock
from obsvae.experiments.runs.state_file import save_state
from obsvae.guides import Guide
from obsvae.inference import Callback, History, TrainingState
from obsvae.model import VAE

# Which the end of a training leaves, where an epoch had ended.
FIGURES = ("figures/learning_curve.png", "figures/reproductions.png")
# Largest share of the time that saving the state may take, and least number of seconds between two times.
_SHARE, _SECONDS = 0.05, 1.0


class RunFolder(Callback):
    """Keeps the folder of a run up to date while :func:`fit` goes on.

    Args:
        folder: which is there.
        config: what ``config.json`` shall hold; ``outcome`` is added.
        model: whose weights are saved.
        guide: whose weights are saved.
        others: save what is not to be behind the state, before it is saved, and in the end.
    """

    def __init__(
        self, folder: Path, config: dict[str, Any], model: VAE, guide: Guide, others: Sequence[Callable[[], None]] = ()
    ) -> None:
        self.folder, self.config, self.model, self.guide, self.others = folder, config, model, guide, others
        self.unsaved: TrainingState | None = None
        self.state_due = 0.0  # by time.monotonic()

    def on_start(self, model: object, guide: object) -> None:
        """Save the configuration, and remove figures of the weights before: a run without them is not complete."""
        self._save_config({"stopped": "unfinished", "epochs": None, "best_epoch": None, "objective": None})
        for name in FIGURES:
            (self.folder / name).unlink(missing_ok=True)

    def on_state(self, state: TrainingState) -> None:
        """Keep it, to be saved after what it follows from."""
        self.unsaved = state

    def on_epoch(self, history: History) -> None:
        """Save the history, the weights where they are the best so far, and the state where there is time for it."""
        if history.best is history.epochs[-1]:
            save_weights(self.folder, self.model, self.guide)
        save_history(self.folder, history)
        if time.monotonic() >= self.state_due:
            self._save_state()

    def on_end(self, history: History) -> None:
        """Save the weights that are kept, the history, the state, and how training ended."""
        save_weights(self.folder, self.model, self.guide)
        save_history(self.folder, history)
        self._save_state()
        best = history.best.epoch if history.best else None
        ended = {"stopped": history.stopped, "is_improving": history.is_improving, "objective": history.objective}
        self._save_config({**ended, "epochs": len(history), "best_epoch": best})

    def _save_state(self) -> None:
        if self.unsaved is None:
            return
        start = time.monotonic()
        for save in self.others:
            save()
        save_state(self.folder, self.unsaved)
        end, self.unsaved = time.monotonic(), None
        self.state_due = end + max(_SECONDS, (end - start) / _SHARE)

    def _save_config(self, outcome: dict[str, Any]) -> None:
        self.config = {**self.config, "outcome": outcome}
        save_json(self.folder / "config.json", self.config)


class NewRunFolder(RunFolder):
    """Makes the folder, which must not exist, once the data are accepted; others are kept from it until it is left."""

    def __enter__(self) -> "NewRunFolder":
        self.lock = FolderLock(self.folder)
        return self

    def __exit__(self, *error: object) -> None:
        self.lock.release()

    def on_start(self, model: object, guide: object) -> None:
        """Make the folder, with the configuration and the schema of a table."""
        create_run(self.folder)
        self.lock.acquire()
        with removed_where_empty(self.folder):
            super().on_start(model, guide)
        if self.config["schema"] is not None:
            save_text(self.folder / "schema.toml", to_toml(schema_from(self.config["schema"])))
