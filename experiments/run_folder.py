"""The folder of a run while it is trained: kept up to date, whole at every moment."""

import time
from pathlib import Path
from typing import Any

from obsvae.data.tables.schemas.schema import schema_from
from obsvae.data.tables.schemas.toml import to_toml
from obsvae.experiments.files import create_run, save_history, save_json, save_text, save_weights
from obsvae.experiments.lock import FolderLock
from obsvae.experiments.state_file import save_state
from obsvae.guides import Guide
from obsvae.inference import Callback, History, TrainingState
from obsvae.model import VAE

# The state is saved after an epoch where that takes at most this share of the time, and not more often than this.
_SHARE, _SECONDS = 0.05, 1.0


class RunFolder(Callback):
    """Keeps the folder of a run up to date while :func:`fit` goes on.

    Args:
        folder: which is there.
        config: what ``config.json`` shall hold; ``outcome`` is added.
        model: whose weights are saved.
        guide: whose weights are saved.
    """

    def __init__(self, folder: Path, config: dict[str, Any], model: VAE, guide: Guide) -> None:
        self.folder, self.config, self.model, self.guide = folder, config, model, guide
        self.lock, self.state_due = FolderLock(folder), 0.0  # by time.monotonic()

    def on_start(self, model: object, guide: object) -> None:
        """Keep other processes from the folder, and save the configuration."""
        self.lock.acquire()
        self._save_config({"stopped": "unfinished", "epochs": None, "best_epoch": None, "objective": None})

    def on_epoch(self, history: History) -> None:
        """Save the history, and the weights where they are the best so far."""
        if history.best is history.epochs[-1]:
            save_weights(self.folder, self.model, self.guide)
        save_history(self.folder, history)

    def on_state(self, state: TrainingState) -> None:
        """Save it, where that does not take too large a part of the time; after the last epoch always."""
        if not state.is_last and time.monotonic() < self.state_due:
            return
        start = time.monotonic()
        save_state(self.folder, state)
        end = time.monotonic()
        self.state_due = end + max(_SECONDS, (end - start) / _SHARE)

    def on_end(self, history: History) -> None:
        """Save the weights that are kept, the history, and how training ended."""
        save_weights(self.folder, self.model, self.guide)
        save_history(self.folder, history)
        best = history.best.epoch if history.best else None
        outcome = {"stopped": history.stopped, "epochs": len(history), "best_epoch": best}
        self._save_config({**outcome, "objective": history.objective})
        self.lock.release()

    def _save_config(self, outcome: dict[str, Any]) -> None:
        self.config = {**self.config, "outcome": outcome}
        save_json(self.folder / "config.json", self.config)


class NewRunFolder(RunFolder):
    """Makes the folder, which must not exist, once the data are accepted."""

    def on_start(self, model: object, guide: object) -> None:
        """Make the folder, with the configuration and the schema of a table."""
        create_run(self.folder)
        super().on_start(model, guide)
        if self.config["schema"] is not None:
            save_text(self.folder / "schema.toml", to_toml(schema_from(self.config["schema"])))
