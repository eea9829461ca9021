"""The benchmark as a whole: each table, rate and list of hidden entries, each method."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from obsvae.experiments.benchmarks.imputation.errors import column_errors
from obsvae.experiments.benchmarks.imputation.ours import Settings, fill
from obsvae.experiments.benchmarks.imputation.tables import MASKS, RATES, TABLES, HiVaeTable, hivae_table

if TYPE_CHECKING:
    from obsvae.experiments.benchmarks.imputation.peers import Peer

OURS = "this VAE"
STANDARD = Settings()
# Settings with which a table takes seconds, and whose errors say nothing.
QUICK = replace(STANDARD, steps=60, particles=20, particles_of_looks=20)


@dataclass(frozen=True)
class Result:
    """What a method has made of a table with some entries hidden.

    Attributes:
        table: its name.
        rate: of hidden entries, in per cent.
        mask: number of the list of hidden entries, from 1.
        method: which has filled them.
        columns: names.
        errors: of each column, ``(D,)``.
        seconds: that it took.
        note: what it has chosen, or nothing.
    """

    table: str
    rate: int
    mask: int
    method: str
    columns: tuple[str, ...]
    errors: np.ndarray
    seconds: float
    note: str = ""

    @property
    def error(self) -> float:
        """The mean over columns."""
        return float(np.nanmean(self.errors))


def imputation(
    tables: Sequence[str] = TABLES,
    rates: Sequence[int] = RATES,
    masks: int = MASKS,
    *,
    settings: Settings = STANDARD,
    seed: int = 0,
    progress: bool = True,
) -> Iterator[Result]:
    """Fill hidden entries by each method in turn; return each result as soon as it is there, list after list.

    Args:
        tables: names of tables in the data folder.
        rates: of hidden entries, in per cent.
        masks: number of lists of hidden entries for each table and rate.
        settings: of this project's training.
        seed: of whatever is random in the methods.
        progress: show a progress bar where standard error is a terminal.

    Raises:
        UsageError: where the data folder lacks a table or a list.
    """
    from obsvae.experiments.benchmarks.imputation.peers import PEERS  # loads scikit-learn

    read = [hivae_table(name) for name in tables]
    for table in read:  # all lists, before any work
        for rate in rates:
            for mask in range(1, masks + 1):
                table.hidden(rate, mask)
    total = len(read) * len(rates) * masks * (1 + len(PEERS))
    with tqdm(total=total, unit="fill", file=sys.stderr, disable=None if progress else True) as bar:
        for table in read:
            for rate in rates:
                for mask in range(1, masks + 1):
                    for result in _of_mask(table, rate, mask, PEERS, settings, seed):
                        bar.set_description(f"{table.name}, {rate} % hidden, list {mask}: {result.method}")
                        bar.update()
                        yield result


def _of_mask(
    table: HiVaeTable, rate: int, mask: int, peers: "Mapping[str, Peer]", settings: Settings, seed: int
) -> Iterator[Result]:
    hidden = table.hidden(rate, mask)
    seen = table.seen(hidden)
    notes: dict[str, str] = {}

    def ours() -> np.ndarray:
        filled = fill(table.stored, seen, settings, seed)
        notes[OURS] = f"families {filled.families}, epoch {filled.epoch}"
        return filled.x

    methods: Mapping[str, Callable[[], np.ndarray]] = {
        OURS: ours,
        **{name: partial(peer, table.columns, seen, seed) for name, peer in peers.items()},
    }
    names = tuple(column.name for column in table.columns)
    for name, method in methods.items():
        start = time.perf_counter()
        filled = method()
        seconds = time.perf_counter() - start
        errors = column_errors(table.columns, table.x, filled, hidden)
        yield Result(table.name, rate, mask, name, names, errors, seconds, notes.get(name, ""))
