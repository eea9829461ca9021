"""Tables with lists of entries to hide, as HI-VAE published them."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from obsvae.data import Column
from obsvae.data.folder import data_folder
from obsvae.data.stored import Stored
from obsvae.data.tables.read import read_table
from obsvae.data.tables.stored import stored_table
from obsvae.errors import UsageError

TABLES = ("Breast", "Wine", "spam")
RATES = (10, 20, 50)
MASKS = 3  # of each table and rate: the larger number that some tables have would count these more


@dataclass(frozen=True, eq=False)
class HiVaeTable:
    """A table that is known as a whole, and lists of its entries to hide.

    Args:
        name: of its folder.
        stored: the table; its x (N, D) is complete.
        folder: where the lists are.
        unknown: whether an entry is missing in truth (N, D): what the file has there is nobody's measurement.

    """

    name: str
    stored: Stored
    folder: Path
    unknown: np.ndarray

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns, with their families."""
        assert self.stored.columns is not None
        return self.stored.columns

    @property
    def x(self) -> np.ndarray:
        """All entries (N, D) in float32."""
        return self.stored.x.astype(np.float32)

    def hidden(self, rate: int, mask: int) -> np.ndarray:
        """Return which entries to hide (N, D), without those that are missing in truth.

        Args:
            rate: in per cent.
            mask: number of the list, from 1.

        """
        return listed(self.folder / f"Missing{rate}_{mask}.csv", self.unknown.shape) & ~self.unknown

    def seen(self, hidden: np.ndarray) -> np.ndarray:
        """Return the table (N, D) with NaN for entries that are hidden or missing in truth."""
        return np.where(hidden | self.unknown, np.float32(np.nan), self.x)


def hivae_table(name: str) -> HiVaeTable:
    """Return a table of the data folder by its name.

    Args:
        name: of its folder in ``hivae``.

    Raises UsageError where the data folder lacks it.
    """
    folder = data_folder() / "hivae" / name
    if not (folder / "data.csv").is_file() or not (folder / "data_types.csv").is_file():
        raise UsageError(
            f"the table {name} needs data.csv, data_types.csv and lists of entries to hide in {str(folder)!r}, but "
            "they are not there: copy that folder from HI-VAE's repository, or set OBSVAE_DATA to where it is"
        )
    stored, _ = stored_table(read_table(folder / "data.csv"))
    missing = folder / "MissingTrue.csv"
    unknown = listed(missing, stored.x.shape) if missing.is_file() else np.zeros(stored.x.shape, bool)
    return HiVaeTable(name, stored, folder, unknown)


def listed(file: Path, shape: Sequence[int]) -> np.ndarray:
    """Return which entries a file lists, as booleans (N, D).

    Args:
        file: a line ``row,column`` for each entry, both counted from 1.
        shape: (N, D).

    Raises UsageError for a file that cannot be read, a line that is no such pair, and entries outside the table.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            lines = [line for line in csv.reader(text) if line]
        entries = np.array([[int(number) for number in line] for line in lines], dtype=np.int64).reshape(-1, 2)
    except OSError as error:
        raise UsageError(f"cannot read the entries to hide, {str(file)!r}: {error.strerror}; check the path") from None
    except ValueError:
        raise UsageError(f"{str(file)!r} needs a line row,column of whole numbers for each entry to hide") from None
    outside = ((entries < 1) | (entries > np.array(shape))).any(1)
    if outside.any():
        row, column = entries[outside][0]
        raise UsageError(
            f"{str(file)!r} needs rows from 1 to {shape[0]} and columns from 1 to {shape[1]}, but lists {row},{column}"
        )
    found = np.zeros(tuple(shape), bool)
    found[tuple(entries.T - 1)] = True
    return found
