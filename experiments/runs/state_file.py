"""Where a run's training stands, in ``state.safetensors``."""

from pathlib import Path

from safetensors import SafetensorError, safe_open

from obsvae.errors import UsageError
from obsvae.experiments.files import save_tensors
from obsvae.inference import History, TrainingState

STATE = "state.safetensors"
_FORMAT = "1"


def save_state(folder: Path, state: TrainingState) -> Path:
    """Write the state, whole and on the disk; the one before stays until then."""
    history = state.history
    notes = {
        "format": _FORMAT,
        "history": history.to_csv(),
        "objective": history.objective,
        "is_compiled": "yes" if state.is_compiled else "no",
    }
    return save_tensors(folder / STATE, state.tensors, notes, is_flushed=True)


def load_state(folder: Path) -> TrainingState:
    """Return the state of a run's training.

    Raises:
        UsageError: where there is none, or the file is damaged or of another format.
    """
    file = folder / STATE
    if not file.is_file():
        raise UsageError(
            f"there is no {file}: no epoch of this run was finished, or it was removed; train the run again"
        )
    try:
        with safe_open(file, framework="pt") as held:
            notes = held.metadata() or {}
            tensors = {name: held.get_tensor(name) for name in held.keys()}  # noqa: SIM118 - it is no mapping
    except (SafetensorError, OSError) as error:
        raise UsageError(f"{file} cannot be read ({error}); it is damaged, train the run again") from None
    if notes.get("format") != _FORMAT:
        raise UsageError(f"{file} is of format {notes.get('format')}, but {_FORMAT} is needed; train the run again")
    try:
        history = History.from_csv(notes["history"])
        history.objective = notes["objective"]
        return TrainingState(tensors, history, notes["is_compiled"] == "yes")
    except (KeyError, UsageError) as error:
        raise UsageError(f"{file} lacks or misstates something ({error}); train the run again") from None
