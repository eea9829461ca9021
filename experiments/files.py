"""The folder that a run leaves: files that other programs can open."""

import json
import math
import os
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from obsvae.errors import UsageError
from obsvae.experiments.doors import as_path
from obsvae.inference.training.history import History
from obsvae.whole_files import write_whole

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

CONFIG, WEIGHTS = "config.json", "weights.safetensors"


def create_run(path: str | Path) -> Path:
    """Make the folder of a new run.

    Raises:
        UsageError: where it exists already; nothing in it is touched.
    """
    folder = as_path(path)
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise UsageError(f"{folder} exists already; choose another folder, or remove it") from None
    except (OSError, ValueError) as error:  # a NUL in its name is a ValueError
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"cannot make the folder {folder}: {why}; choose another folder") from None
    return folder


@contextmanager
def removed_where_empty(folder: Path) -> Iterator[None]:
    """Remove a new folder where what is done first in it fails, as on a full disk: else it would be refused later."""
    try:
        yield
    except BaseException:
        if not any(folder.iterdir()):
            folder.rmdir()
        raise


def require_place(file: Path) -> Path:
    """Return the path of a file to be written; refuse one that cannot be, before any work is done for it.

    Raises:
        UsageError: for a folder, a path below a file, or a name that no file can have.
    """
    if "\0" in str(file):
        raise UsageError(f"a file needs a name without NUL characters, but got {file}; choose another name")
    if file.is_dir():
        raise UsageError(f"a file needs a name of its own, but {file} is a folder; name a file in it")
    above = next(folder for folder in file.parents if folder.exists())
    if not above.is_dir():
        raise UsageError(f"{file} needs a folder to stand in, but {above} is a file; choose another place")
    return file


def save_text(path: Path, text: str) -> Path:
    """Write a text file whole."""
    return write_whole(path, lambda p: p.write_text(text, encoding="utf-8"))


def save_json(path: Path, content: dict[str, Any]) -> Path:
    """Write JSON whole; a number that JSON does not know (NaN, ±inf) becomes null."""
    return save_text(path, json.dumps(_plain(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def save_figure(path: Path, figure: "Figure") -> Path:
    """Write a figure as PNG, whole; characters that the font lacks are drawn as boxes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        return write_whole(path, lambda p: figure.savefig(p, dpi=150))


def save_history(folder: str | Path, history: History) -> Path:
    """Write ``history.csv``, whole."""
    return save_text(Path(folder) / "history.csv", history.to_csv())


def save_datatree(path: Path, tree: "xr.DataTree") -> Path:
    """Write an ArviZ tree as netCDF, whole."""
    # Made in memory: HDF5 crashes where it closes a file, maybe later, that a full disk has not taken.
    content = tree.to_netcdf(engine="h5netcdf")
    return write_whole(path, lambda p: p.write_bytes(content))


def save_weights(folder: str | Path, model: nn.Module, guide: nn.Module) -> Path:
    """Write the weights of model and guide, whole; a tensor that several parts share is written once."""
    state = nn.ModuleDict({"model": model, "guide": guide}).state_dict()
    first = _first_names(state)
    return save_tensors(Path(folder) / WEIGHTS, {name: v for name, v in state.items() if first[name] == name})


def save_tensors(
    file: Path, tensors: Mapping[str, Tensor], notes: Mapping[str, str] | None = None, *, is_flushed: bool = False
) -> Path:
    """Write tensors by name, whole.

    Args:
        file: where to.
        tensors: which may overlap; each is written by itself.
        notes: texts beside them, by name.
        is_flushed: whether to wait until they are on the disk, so that they outlast a failure of power.
    """
    # The format has no tensors that overlap: each gets memory of its own.
    storages = Counter(value.untyped_storage().data_ptr() for value in tensors.values())
    apart = {
        name: value.clone(memory_format=torch.contiguous_format)
        if storages[value.untyped_storage().data_ptr()] > 1
        else value.contiguous()
        for name, value in tensors.items()
    }

    def write(path: Path) -> None:
        try:
            save_file(apart, path, None if notes is None else dict(notes))
        except SafetensorError as error:  # such as a full disk
            raise OSError(0, str(error), str(file)) from error
        if is_flushed:
            with path.open("r+b") as written:  # to be written to, or Windows would not flush it
                os.fsync(written.fileno())

    return write_whole(file, write)


def load_config(path: str | Path) -> dict[str, Any]:
    """Return the configuration of a run.

    Raises:
        UsageError: where the folder is none, lacks a file, or the file is not what it should be.
    """
    folder = as_path(path)
    if not folder.is_dir():
        raise UsageError(f"there is no run folder {folder}; train one with obsvae train --out {folder}")
    missing = [name for name in (CONFIG, WEIGHTS) if not (folder / name).is_file()]
    if missing:
        raise UsageError(f"{folder} is not a whole run: it lacks {' and '.join(missing)}; train it again")
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{folder / CONFIG} is not JSON ({error}); train the run again") from None
    if not isinstance(config, dict):
        raise UsageError(f"{folder / CONFIG} holds no configuration; train the run again")
    return config


def load_history(path: str | Path) -> History:
    """Return the history of a run.

    Raises:
        UsageError: where it has none, or the file is not what it should be.
    """
    file = as_path(path) / "history.csv"
    if not file.is_file():
        raise UsageError(f"there is no {file}")
    try:
        return History.from_csv(file.read_text(encoding="utf-8"))
    except (UsageError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}; train the run again") from None


def load_weights(path: str | Path, model: nn.Module, guide: nn.Module) -> None:
    """Give model and guide the weights of a run; nothing changes where these are not theirs.

    Tensors that parts of the pair share are still shared afterwards.

    Raises:
        UsageError: where the file is damaged, or its weights are not this model's.
    """
    file = as_path(path) / WEIGHTS
    try:
        tensors = load_file(file)
    except (SafetensorError, OSError) as error:
        raise UsageError(f"{file} cannot be read ({error}); it is damaged, train the run again") from None
    pair = nn.ModuleDict({"model": model, "guide": guide})
    state = pair.state_dict()
    first = _first_names(state)
    expected = {name: tuple(value.shape) for name, value in state.items() if first[name] == name}
    found = {name: tuple(value.shape) for name, value in tensors.items()}
    if expected != found:
        differing = sorted(n for n in {*expected, *found} if expected.get(n) != found.get(n))
        raise UsageError(
            f"{file} holds the weights of another model: {differing[0]} is {found.get(differing[0])}, but the "
            f"configuration makes it {expected.get(differing[0])}"
        )
    pair.load_state_dict({name: tensors[first[name]] for name in state})


def _first_names(state: Mapping[str, Tensor]) -> dict[str, str]:
    """Return, for each name, the first one of the same tensor: its own, unless parts share it."""
    seen: dict[tuple[object, ...], str] = {}
    first = {}
    for name, value in state.items():
        same = value.data_ptr(), value.shape, value.stride(), value.dtype
        first[name] = seen.setdefault(same, name) if value.numel() else name  # all empty tensors are at address 0
    return first


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
