"""The share of each column of a table in the validation ELBO, epoch by epoch, in ``history_by_column.csv``."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch

from obsvae.data import Dataset
from obsvae.data.tables.formulas import escaped, unescaped
from obsvae.errors import UsageError
from obsvae.experiments.files import save_text
from obsvae.inference import Shares

FILE = "history_by_column.csv"


def save_shares(folder: Path, names: Sequence[str], shares: np.ndarray) -> Path:
    """Write the shares ``(epochs, D)`` of columns in nats per datum, an epoch a line; a column may be called epoch."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["epoch", *map(escaped, names)])
    writer.writerows([epoch, *row] for epoch, row in enumerate(shares.tolist(), start=1))
    return save_text(folder / FILE, text.getvalue())


def load_shares(folder: Path) -> tuple[list[str], np.ndarray]:
    """Return the names of the columns and their shares ``(epochs, D)``, as :func:`save_shares` wrote them.

    Raises:
        UsageError: where the file is gone, or is not what it should be.
    """
    file = folder / FILE
    if not file.is_file():
        raise UsageError(f"there is no {file}")
    try:
        with file.open(encoding="utf-8", newline="") as text:
            (_, *names), *rows = csv.reader(text)
        shares = np.array([[float(value) for value in row[1:]] for row in rows]).reshape(-1, len(names))
    except ValueError as error:
        raise UsageError(f"{file} cannot be read: {error}") from None
    if not len(shares):
        raise UsageError(f"{file} holds no epoch")
    return [unescaped(name) for name in names], shares


class SaveShares(Shares):
    """Saves the share of each column in the validation ELBO, an epoch a line."""

    def __init__(self, folder: Path, data: Dataset) -> None:
        super().__init__(data.validation, data.given.get("validation"))
        self.folder, self.names = folder, [column.name for column in data.columns or ()]

    @classmethod
    def after(cls, folder: Path, data: Dataset, epochs: int) -> Self:
        """Return the callback of a run that goes on after a number of epochs.

        Raises:
            UsageError: where the file does not hold the shares of all of them.
        """
        made = cls(folder, data)
        names, shares = load_shares(folder)
        if names != made.names or len(shares) < epochs:
            raise UsageError(
                f"{folder / FILE} needs the columns of the run and {epochs} epochs, but holds {len(shares)} epochs of "
                f"{len(names)} columns; train the run again"
            )
        made.epochs = [*torch.from_numpy(shares[:epochs])]
        return made

    def save(self) -> None:
        """Write all that is known."""
        save_shares(self.folder, self.names, torch.stack(self.epochs).numpy())
