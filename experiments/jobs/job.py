"""A piece of work that leaves its result in a folder."""

import copy
import json
import os
import shutil
import sys
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import torch

from obsvae.errors import UsageError
from obsvae.experiments.files import save_json, save_text
from obsvae.experiments.memory import out_of_memory
from obsvae.inference import Callback, TrainingDiverged, flushing_denormals

# The file by which a job has ended.
RESULT = "result.json"
# The status of a job that was started too late to have a result.
OUT_OF_TIME = "out of time"


class Job(ABC):
    """All that is needed to know to train something; it is pickled on its way to a worker.

    Attributes:
        out: the folder, which is the job's own.
        threads: how many torch may use; None: as it is set.
    """

    out: Path
    threads: int | None

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called where its end is told."""

    @property
    @abstractmethod
    def epochs(self) -> int:
        """The number of epochs at most, by which progress is measured."""

    def has_ended(self) -> bool:
        """Return whether there is nothing more to do."""
        return done(self.out)

    def can_go_on(self) -> bool:
        """Return whether the work takes up what an interrupted one has left in the folder; else it begins anew."""
        return False

    def packed(self) -> Self:
        """Return the same job with what it would read from this machine's disk, which a worker may not have."""
        return self

    def moved(self, out: Path, threads: int, later: float) -> Self:
        """Return the same job as a worker does it.

        Args:
            out: a folder on the worker's machine.
            threads: how many torch may use, where the job does not say.
            later: seconds by which the worker's clock is ahead of the one that the job's times are told by.
        """
        there = copy.copy(self)
        vars(there).update(out=out, threads=threads if self.threads is None else self.threads)  # jobs are frozen
        return there

    @abstractmethod
    def work(self, callbacks: Sequence[Callback]) -> dict[str, Any]:
        """Do it, with callbacks of the training, and return what ``result.json`` shall hold, ``status`` among it."""


def run_job(job: Job, callbacks: Sequence[Callback] = ()) -> None:
    """Do a job; leave what it writes in its folder and, last, ``result.json``.

    A failure is a result, too. One that is a fault of the program leaves its traceback. A disk that takes no more
    leaves no result, and ends all: what has ended is kept, and the job is done again.

    Args:
        job: what to do.
        callbacks: of the training.

    Raises:
        OSError: where its files cannot be written.
    """
    if not job.can_go_on():
        set_aside(job)
    with flushing_denormals(), _threads(job.threads):
        try:
            result = job.work(callbacks)
        except TrainingDiverged as error:
            result = {"status": error.history.stopped, "message": str(error), "has_diverged": True}
        except UsageError as error:
            result = {"status": "failed", "message": str(error)}
        except OSError:
            raise
        except Exception as error:
            lacking = out_of_memory(error)
            message = fault(job, error) if lacking is None else lacking
            result = {"status": "failed", "message": message, "is_fault": lacking is None}
    save_json(job.out / RESULT, result)


@contextmanager
def _threads(number: int | None) -> Iterator[None]:
    """Let torch use some threads, and then as many as before; None changes nothing."""
    before = torch.get_num_threads()
    torch.set_num_threads(before if number is None else number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def in_time(jobs: Iterable[Job], until: float | None) -> Iterator[Job]:
    """Return jobs, each to be done before the next, while there is time for one more that takes as long as any before.

    Args:
        jobs: what to do.
        until: when to have ended, in seconds since the epoch of :func:`time.time`; None: all are returned.
    """
    longest = 0.0
    for job in jobs:
        start = time.time()
        if until is not None and start + longest > until:
            return
        yield job
        longest = max(longest, time.time() - start)


def read_result(folder: Path) -> dict[str, Any] | None:
    """Return what a job has left; None where it has not ended.

    Raises:
        UsageError: where the file is damaged.
    """
    file = folder / RESULT
    if not file.is_file():
        return None
    try:
        result = json.loads(file.read_text(encoding="utf-8"))
        result["status"]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{file} is damaged ({error}); remove {folder}, and the same command does this part again"
        ) from None
    return result


def done(folder: Path) -> bool:
    """Return whether a job has ended for good; one that failed for want of memory, say, is tried again."""
    result = read_result(folder)
    return result is not None and result["status"] not in ("failed", OUT_OF_TIME)


def set_aside(job: Job) -> None:
    """Make room for a job's folder; a result that is there is kept until there is another, see :func:`restore`."""
    if read_result(job.out) is not None:
        shutil.rmtree(_before(job), ignore_errors=True)
        job.out.rename(_before(job))
    else:  # what an interrupt left
        shutil.rmtree(job.out, ignore_errors=True)


def restore(job: Job) -> None:
    """Take back the result that was set aside, where there is no other; else forget it."""
    if not _before(job).is_dir():
        return
    result = read_result(job.out)
    if result is None or result["status"] == OUT_OF_TIME:
        shutil.rmtree(job.out, ignore_errors=True)
        _before(job).rename(job.out)
    else:
        shutil.rmtree(_before(job))


def _before(job: Job) -> Path:
    return job.out.with_name(f"{job.out.name}.before")


def threads_each(jobs: int) -> int:
    """Return how many threads each of several processes side by side may use."""
    return max(1, (os.cpu_count() or 1) // jobs)


def fault(job: Job, error: Exception) -> str:
    """Print and keep the traceback of a fault of the program, and return what to say of it in a line."""
    text = "".join(traceback.format_exception(error))
    print(text, file=sys.stderr, flush=True)
    save_text(job.out / "traceback.txt", text)
    why = " ".join(str(error).split())
    return f"a fault of the program ({type(error).__name__}: {why}); its traceback was printed, and is in its folder"
