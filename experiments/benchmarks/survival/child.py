"""A work in a process of its own, which may kill itself while it writes."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from obsvae.experiments.benchmarks.survival.works import WORKS
from obsvae.experiments.pieces import kept
from obsvae.inference.entries import particles
from obsvae.inference.likelihood import estimate

# Rows that are computed at once, and seconds between two times of saving pieces: as if the work were large.
_ROWS, _EVERY = 20, 0.05


@dataclass(frozen=True)
class AtWrite:
    """A kill of a process by itself while it writes a file: its temporary file is whole, and is to be renamed.

    Attributes:
        number: of the renaming, from 1.
        is_after: whether it is killed right after it, by the next thing that the system is asked for.
    """

    number: int
    is_after: bool


class _Renamings:
    """Counts renamings of files, of which Python tells its audit hooks before they are done."""

    def __init__(self, kill: AtWrite | None) -> None:
        self.count, self.kill = 0, kill

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "os.kill":  # its own
            return
        was = self.count
        self.count += event == "os.rename"
        if self.kill is not None and self.kill.number == (was if self.kill.is_after else self.count):
            os.kill(os.getpid(), signal.SIGKILL)


def work_in(folder: Path, name: str, kill: AtWrite | None, log: Path, told: Connection) -> None:
    """Do a work in a folder, and tell when it begins, and at its end how many files it has renamed.

    Args:
        folder: which becomes the current one.
        name: of the work, in ``WORKS``; with a hyphen before it what it needs is prepared.
        kill: when it kills itself; None: never.
        log: the file to which it speaks.
        told: to whom it tells.
    """
    os.chdir(folder)
    torch.set_num_threads(1)
    with log.open("a") as text, contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        work, prepare = WORKS[name.removeprefix("-")]
        if name.startswith("-"):
            prepare(folder)
            told.send(0)
            return
        _done(work, _Renamings(kill), told)


def _done(work: Callable[[], None], renamings: _Renamings, told: Connection) -> None:
    particles._MOST_AT_ONCE, estimate._MOST, kept.EVERY = _ROWS, _ROWS, _EVERY
    told.send(0)
    sys.addaudithook(renamings)
    work()
    told.send(renamings.count)
