"""One way to a table: `read_table` of a file or of a data frame."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from obsvae.data.tables.raw import RawTable
from obsvae.data.tables.readers.anndata import read_h5ad
from obsvae.data.tables.readers.delimited import read_csv, read_tsv
from obsvae.data.tables.readers.parquet import read_parquet
from obsvae.errors import UsageError


@dataclass(frozen=True)
class Format:
    """A format of tables.

    Args:
        read: returns the table of a file.
        has_layers: whether a file may hold several tables of one shape, so that `read` takes ``layer``.

    """

    read: Callable[..., RawTable]
    has_layers: bool = False


_CSV, _TSV = Format(read_csv), Format(read_tsv)
FORMATS: dict[str, Format] = {
    ".csv": _CSV,
    ".csv.gz": _CSV,
    ".tsv": _TSV,
    ".tsv.gz": _TSV,
    ".parquet": Format(read_parquet),
    ".h5ad": Format(read_h5ad, has_layers=True),
}


def suffix_of(path: str | os.PathLike[str]) -> str | None:
    """Return which of the suffixes in `FORMATS` a path has, in whatever case, or None."""
    name = os.fsdecode(path).lower()
    return next((suffix for suffix in FORMATS if name.endswith(suffix)), None)


def read_table(source: str | os.PathLike[str] | Any, *, layer: str | None = None) -> RawTable:
    """Return the columns of a table as they stand.

    Args:
        source: the path of a file with one of the suffixes in `FORMATS`, or a data frame: of pandas, of Polars, or any
            that narwhals knows.
        layer: which layer of an AnnData file to take in place of X.

    Raises UsageError for a file that cannot be found or read, for names of columns that are missing or repeat, for rows
    of different length, and for columns of what is neither numbers, texts, levels nor times.
    """
    if not isinstance(source, str | os.PathLike):
        _refuse_layer(layer, "a data frame")
        from obsvae.data.tables.readers.frames import read_frame  # loads narwhals, which files do without

        return read_frame(source)
    path = Path(os.fsdecode(source)).expanduser()
    said = repr(str(path))
    if path.is_dir():
        raise UsageError(f"needs a file with a table; {said} is a folder: name a file in it")
    suffix = suffix_of(path)
    if suffix is None:
        raise UsageError(
            f"{said}: needs a file of {', '.join(FORMATS)}; got {path.suffix or 'no suffix'}: save it as CSV in "
            "UTF-8, or pass the data frame that another library reads from it"
        )
    if not path.exists():
        raise UsageError(f"no file at {said}: check the path (relative to {str(Path.cwd())!r})")
    found = FORMATS[suffix]
    if found.has_layers:
        return found.read(path, layer)
    _refuse_layer(layer, said)
    return found.read(path)


def _refuse_layer(layer: str | None, source: str) -> None:
    if layer is not None:
        raise UsageError(f"layers are those of AnnData files (.h5ad); got layer={layer!r} with {source}: leave it out")
