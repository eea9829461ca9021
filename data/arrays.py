"""Arrays from .npy and .npz files, the Frey faces and scikit-learn's digits."""

import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np

from data.checks import checked
from data.dataset import Grid
from data.folder import data_folder
from data.stored import Stored

FREY_FACES = (1965, 28, 20)
# What NumPy raises for damaged files, beside the errors of the formats' own parsers.
_UNREADABLE = (OSError, ValueError, EOFError, MemoryError, RuntimeError, SyntaxError)


def from_file(name: str) -> Stored:
    """Return the array of a .npy or .npz file, to be split 80/10/10.

    bool lies within (0, 1) and uint8 within (0, 255). Other integers have no bounds; their grid runs over all rows
    of the file, so that every split lies on it. Floats have neither bounds nor a grid.
    """
    x = checked(_read(Path(name).expanduser()), repr(name))
    bounds, grid = _declared(x)
    tenth = len(x) // 10
    return Stored(x, validation=tenth, test=tenth, bounds=bounds, grid=grid)


def frey_faces() -> Stored:
    """Return the 1965 Frey faces, (28, 20), from the data folder."""
    path = data_folder() / "freyfaces.npy"
    wanted = f"an array of uint8, {FREY_FACES}"
    if not path.is_file():
        raise ValueError(
            f"'freyfaces' cannot be downloaded and is not at {str(path)!r}: save the faces there as {wanted}, "
            "or set OBSVAE_DATA to the folder that holds freyfaces.npy"
        )
    x = _read(path)
    if x.shape != FREY_FACES or x.dtype != np.uint8:
        raise ValueError(f"'freyfaces' needs {wanted}; {str(path)!r} holds {x.dtype}, {x.shape}: replace the file")
    return Stored(checked(x, "'freyfaces'"), 200, 200, bounds=(0.0, 255.0), grid=Grid(0.0, 1.0, 256))


def digits() -> Stored:
    """Return scikit-learn's 1797 handwritten digits, (8, 8), 0 … 16."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    x = checked(bunch.images, "'digits'")
    return Stored(x, 200, 200, labels=bunch.target, bounds=(0.0, 16.0), grid=Grid(0.0, 1.0, 17))


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


def _read(path: Path) -> np.ndarray:
    """Return the array in a file, in either format and whatever the suffix; never unpickle."""
    if not path.exists():
        raise ValueError(f"no file at {str(path)!r}: check the path (relative to {str(Path.cwd())!r})")
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return loaded
            return np.asarray(loaded[_member(path, list(loaded.files))])
    except _MemberError:
        raise
    except (*_UNREADABLE, zipfile.BadZipFile, zlib.error, tokenize.TokenError) as error:
        why = " ".join(str(error).split())
        raise ValueError(
            f"cannot read {str(path)!r} as a plain NumPy array ({type(error).__name__}: {why}): "
            "save numbers with np.save or np.savez; pickled objects are never read"
        ) from error


class _MemberError(ValueError):
    """An .npz file that does not say which array is meant."""


def _member(path: Path, members: list[str]) -> str:
    if "x" in members:
        return "x"
    if len(members) == 1:
        return members[0]
    raise _MemberError(
        f"{str(path)!r} needs one array, or one named 'x'; it holds {len(members)}: {members}: "
        "save the data with np.savez(path, x=...)"
    )
