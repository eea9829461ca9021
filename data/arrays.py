"""Arrays from memory and from .npy and .npz files, the Frey faces and scikit-learn's digits."""

import importlib.util
import re
import tokenize
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from obsvae.data.checks import check_layout, check_values, checked
from obsvae.data.folder import data_folder
from obsvae.data.grid import Grid
from obsvae.data.images.channels import channels_first
from obsvae.data.memory import Values, as_numpy
from obsvae.data.metadata import checked_labels, checked_names
from obsvae.data.splits import drawn, given
from obsvae.data.stored import Stored
from obsvae.errors import UsageError

FREY_FACES = (1965, 28, 20)
# The suffix before the colon tells it from that of a drive, C:\data.npz.
_MEMBER = re.compile(r"(?P<file>.+\.npz):(?P<member>.*)", re.IGNORECASE | re.DOTALL)
# Errors that NumPy raises for damaged files; the parsers of the formats have others.
_UNREADABLE = (OSError, ValueError, EOFError, MemoryError, RuntimeError, SyntaxError)


def from_memory(
    x: np.ndarray | Tensor,
    name: str,
    names: Sequence[str] | None = None,
    labels: Values | None = None,
    splits: Mapping[str, Values] | None = None,
    missing: bool = False,
    channels: str | None = None,
) -> Stored:
    """Return the data of an array or tensor, (N, *event).

    bool lies within (0, 1) and uint8 within (0, 255). Other integers have no bounds; their grid runs over all rows,
    so that every split lies on it. Floats have neither bounds nor a grid.

    Args:
        x: real numbers of any dtype, on any device.
        name: the name for x in an error.
        names: of the features of vectors.
        labels: integers (N,).
        splits: as `splits.given` takes them; by default 80/10/10, drawn at random.
        missing: whether NaN, and masked entries, are missing ones.
        channels: where images have them, "first" or "last"; None where nobody says.

    """
    # Of a masked array of integers the integers lie on a grid.
    seen = x.compressed() if isinstance(x, np.ma.MaskedArray) else None
    x = as_numpy(x, name, missing)
    if channels is not None:
        x = channels_first(x, channels, name)
    check_layout(x, name)
    texts = None if names is None else checked_names(names, x.shape)
    x = check_values(x, name, texts, missing)
    N, (bounds, grid) = len(x), _declared(x if seen is None else seen)
    return Stored(
        x,
        drawn(N, N // 10, N // 10) if splits is None else given(splits, N),
        labels=None if labels is None else checked_labels(labels, N),
        bounds=bounds,
        grid=grid,
        names=texts,
        has_missing=missing,
    )


def from_file(
    path: str,
    names: Sequence[str] | None = None,
    labels: Values | None = None,
    splits: Mapping[str, Values] | None = None,
    missing: bool = False,
    channels: str | None = None,
) -> Stored:
    """Return the array of a .npy or .npz file, as `from_memory` does.

    Args:
        path: of the file; in an .npz file, ``file.npz:images`` is the array ``images``.
        names: of the features of vectors.
        labels: integers (N,).
        splits: as `splits.given` takes them.
        missing: whether NaN is a missing entry.
        channels: where images have them, "first" or "last"; None where nobody says.

    """
    return from_memory(array_of(path), repr(path), names, labels, splits, missing, channels)


def array_of(path: str) -> np.ndarray:
    """Return the array of a .npy or .npz file, whatever it holds; raise UsageError where there is none."""
    file, member = file_and_member(path)
    return _read(Path(file).expanduser(), member)


def is_array_file(name: str) -> bool:
    """Return whether a name is that of a file of arrays, or of an array in one."""
    return Path(file_and_member(name)[0]).suffix.lower() in {".npy", ".npz"}


def file_and_member(path: str) -> tuple[str, str | None]:
    """Return the path of a file, and the array of an .npz file that follows it after a colon, if one does."""
    found = _MEMBER.fullmatch(path)
    return (path, None) if found is None else (found["file"], found["member"])


def frey_faces() -> Stored:
    """Return the 1965 Frey faces, (28, 20), from the data folder."""
    path = data_folder() / "freyfaces.npy"
    wanted = f"an array of uint8, {FREY_FACES}"
    if not path.is_file():
        raise UsageError(
            f"'freyfaces' cannot be downloaded and is not at {str(path)!r}: save the faces there as {wanted}, "
            "or set OBSVAE_DATA to the folder that holds freyfaces.npy"
        )
    x = _read(path)
    if x.shape != FREY_FACES or x.dtype != np.uint8:
        raise UsageError(f"'freyfaces' needs {wanted}; {str(path)!r} holds {x.dtype}, {x.shape}: replace the file")
    return Stored(checked(x, "'freyfaces'"), drawn(len(x), 200, 200), bounds=(0.0, 255.0), grid=Grid(0.0, 1.0, 256))


def digits() -> Stored:
    """Return scikit-learn's 1797 handwritten digits, (8, 8), 0 … 16."""
    images, labels = _digits()
    x = checked(images, "'digits'")
    return Stored(x, drawn(len(x), 200, 200), labels=labels, bounds=(0.0, 16.0), grid=Grid(0.0, 1.0, 17))


def _digits() -> tuple[np.ndarray, np.ndarray]:
    """Return the images and the labels that scikit-learn's ``load_digits`` returns.

    From its file: to load scikit-learn takes more than a second.
    """
    spec = importlib.util.find_spec("sklearn")
    folders = [] if spec is None else spec.submodule_search_locations or []
    for file in (Path(folder) / "datasets/data/digits.csv.gz" for folder in folders):
        if file.is_file():
            rows = np.loadtxt(file, delimiter=",")
            return rows[:, :-1].reshape(-1, 8, 8), rows[:, -1].astype(np.int64)
    from sklearn.datasets import load_digits  # it keeps the file elsewhere

    bunch = load_digits()
    return bunch.images, bunch.target


def _declared(x: np.ndarray) -> tuple[tuple[float, float] | None, Grid | None]:
    """Return the bounds and grid that the dtype of checked data implies."""
    if x.dtype.kind == "f":
        return None, None
    if x.dtype == np.bool_:
        return (0.0, 1.0), Grid(0.0, 1.0, 2)
    if x.dtype == np.uint8:
        return (0.0, 255.0), Grid(0.0, 1.0, 256)
    low, high = int(x.min()), int(x.max())
    return None, Grid(float(low), 1.0, high - low + 1)


def _read(path: Path, member: str | None = None) -> np.ndarray:
    """Return the array in a file, which may have either format under either suffix; never unpickle."""
    if not path.exists():
        raise UsageError(f"no file at {str(path)!r}: check the path (relative to {str(Path.cwd())!r})")
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                if member is not None:
                    raise _MemberError(f"{str(path)!r} holds one array, which has no name: leave out ':{member}'")
                return loaded
            return np.asarray(loaded[_member(path, list(loaded.files), member)])
    except _MemberError:
        raise
    except (*_UNREADABLE, zipfile.BadZipFile, zlib.error, tokenize.TokenError) as error:
        why = " ".join(str(error).split())
        raise UsageError(
            f"cannot read {str(path)!r} as a plain NumPy array ({type(error).__name__}: {why}): "
            "save numbers with np.save or np.savez; pickled objects are never read"
        ) from error


class _MemberError(UsageError):
    """An .npz file that does not say which array is meant."""


def _member(path: Path, members: list[str], wanted: str | None) -> str:
    if wanted is not None:
        if wanted not in members:
            raise _MemberError(
                f"{str(path)!r} has no array {wanted!r}; it holds {', '.join(map(repr, members)) or 'none'}: name "
                "one of these after the colon"
            )
        return wanted
    if "x" in members:
        return "x"
    if len(members) == 1:
        return members[0]
    name = members[0] if members else "x"
    raise _MemberError(
        f"{str(path)!r} needs one array, or one named 'x'; it holds {len(members)}: {members}: "
        f"name the one to take, {f'{path}:{name}'!r}, or save the data with np.savez(path, x=...)"
    )
