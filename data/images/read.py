"""Folders of PNG and JPEG images."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from obsvae.data.checks import checked
from obsvae.data.free_memory import available_memory
from obsvae.data.grid import Grid
from obsvae.data.images.decode import read_image
from obsvae.data.memory import Values
from obsvae.data.metadata import checked_labels
from obsvae.data.splits import drawn, given
from obsvae.data.stored import Stored
from obsvae.errors import UsageError

_SUFFIXES = {".png", ".jpg", ".jpeg"}
# What file managers leave beside images; names that begin with a dot are left out as well.
_LEFT_OUT = {"thumbs.db", "desktop.ini", "__macosx"}
_MODES = {1: "grey", 2: "grey with transparency", 3: "colour", 4: "colour with transparency"}


def from_folder(path: str, labels: Values | None = None, splits: Mapping[str, Values] | None = None) -> Stored:
    """Return the images in a folder and its subfolders, in the order of their paths, which name the rows.

    Grey images have the shape (rows, columns), others (channels, rows, columns). Transparency is a last channel, left
    out where all images are opaque. Images of 8 bits lie within (0, 255), PNG of 16 bits within (0, 65535). Where they
    lie in subfolders, these are their labels.

    Args:
        path: of the folder.
        labels: integers (N,), in place of those of subfolders.
        splits: as `splits.given` takes them; by default 80/10/10, drawn at random.

    Raises UsageError for a folder without images or with other files, damaged images, and images that differ in size,
    mode or depth.
    """
    folder = Path(path).expanduser()
    said = repr(path)
    names = _images_in(folder, said)
    x = _without_opacity(_read_all(folder, names, said))
    parents = [Path(name).parent.as_posix() for name in names]
    label_names = None if labels is not None else _label_names(names, parents, said)
    if labels is not None:
        numbers: np.ndarray | None = checked_labels(labels, len(x))
    else:
        numbers = None if label_names is None else np.array([label_names.index(parent) for parent in parents])
    largest = int(np.iinfo(x.dtype).max)
    N = len(x)
    return Stored(
        checked(x, said),
        drawn(N, N // 10, N // 10) if splits is None else given(splits, N),
        labels=numbers,
        bounds=(0.0, float(largest)),
        grid=Grid(0.0, 1.0, largest + 1),
        row_names=tuple(names),
        label_names=label_names,
    )


def _images_in(folder: Path, said: str) -> list[str]:
    """Return the paths of all images within a folder, in their order, written with slashes on every system."""
    names = []
    for file in folder.rglob("*"):
        parts = file.relative_to(folder).parts
        if not file.is_file() or any(part.startswith(".") or part.lower() in _LEFT_OUT for part in parts):
            continue
        name = "/".join(parts)
        if file.suffix.lower() not in _SUFFIXES:
            raise UsageError(
                f"{said}: needs a folder of PNG and JPEG images and nothing else; it holds {name!r}: move it elsewhere"
            )
        names.append(name)
    if not names:
        raise UsageError(f"{said}: needs a folder of PNG and JPEG images; it holds none: check the path")
    return sorted(names)


def _read_all(folder: Path, names: Sequence[str], said: str) -> np.ndarray:
    """Return all images, ``(N, channels, rows, columns)``."""
    first = read_image(folder / names[0], said, names[0])
    needed = len(names) * first.size * (first.itemsize + 4)  # as they are stored, and in float32
    if needed > (free := available_memory()):
        raise UsageError(
            f"{said}: needs {needed / 1e9:.1f} GB in memory for {len(names)} images of {_described(first)}, but "
            f"{free / 1e9:.1f} GB are free: make them smaller, or take fewer"
        )
    x = np.empty((len(names), *first.shape), first.dtype)
    for i, name in enumerate(names):
        image = first if i == 0 else read_image(folder / name, said, name)
        if image.shape != first.shape or image.dtype != first.dtype:
            raise UsageError(
                f"{said}: needs images of one size, mode and depth; {names[0]!r} has {_described(first)}, {name!r} has "
                f"{_described(image)}: convert or move them"
            )
        x[i] = image
    return x


def _without_opacity(x: np.ndarray) -> np.ndarray:
    if x.shape[1] in (2, 4) and (x[:, -1] == np.iinfo(x.dtype).max).all():
        x = x[:, :-1]
    return x[:, 0] if x.shape[1] == 1 else x


def _label_names(names: Sequence[str], parents: Sequence[str], said: str) -> tuple[str, ...] | None:
    if set(parents) == {"."}:
        return None
    if "." in parents:
        loose = names[parents.index(".")]
        within = next(name for name, parent in zip(names, parents, strict=True) if parent != ".")
        raise UsageError(
            f"{said}: needs images all in subfolders, which are their labels, or none; {within!r} lies in one, "
            f"{loose!r} does not: move one of them"
        )
    return tuple(sorted(set(parents)))


def _described(image: np.ndarray) -> str:
    channels, rows, columns = image.shape
    return f"{rows} rows, {columns} columns, {_MODES[channels]}, {8 * image.itemsize} bits"
