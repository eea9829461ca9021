"""Jobs to be dealt, and workers that are none."""

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from obsvae.experiments.jobs import workers
from obsvae.experiments.jobs.job import Job, run_job
from obsvae.experiments.jobs.worker import files_of, pickled, unpickled


@dataclass(frozen=True, eq=False)
class Noted(Job):
    """Writes down that it was done, in a log that is the same for all."""

    out: Path
    log: Path
    threads: int | None = None
    epochs = 3

    @property
    def name(self):
        return self.out.name

    def work(self, callbacks):
        with self.log.open("a") as log:
            log.write(f"{self.log.parent.name} {time.time()}\n")
        return {"status": "finished", "threads": torch.get_num_threads()}


@dataclass(frozen=True, eq=False)
class Deadly(Job):
    """Kills its process, the first times that it is tried."""

    out: Path
    log: Path
    times: int
    threads: int | None = None
    name = "deadly"
    epochs = 1

    def work(self, callbacks):
        tried = len(self.log.read_text()) if self.log.exists() else 0
        self.log.write_text("x" * (tried + 1))
        if tried < self.times:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"status": "finished", "tried": tried}


class InlineFuture:
    """What a job has left already, or the error that it raised; None of one whose worker has died."""

    key = "inline"

    def __init__(self, files, error=None):
        self.files, self.error = files, error
        self.status = "finished" if error is None else "error"

    def done(self):
        return self.files is not None

    def result(self, timeout):
        if self.error is not None:
            raise self.error
        return self.files

    def add_done_callback(self, call):
        if self.done():
            call(self)

    def cancel(self):
        pass


class InlineWorkers:
    """Workers that are none: to start one takes seconds. A job with a name of ``deadly`` costs each its life."""

    sent: list[str]
    deadly = ()
    broken: dict[str, Exception] = {}  # noqa: RUF012 - a test gives its own
    unwilling = ()
    address = None

    def __init__(self, jobs, scheduler):
        self.scheduler, self.epochs, self.number = scheduler or self.address, {}, jobs or 1
        self.alive = [f"worker-{i}" for i in range(self.number)]
        self.started = self.number

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def present(self):
        return {address: address not in self.unwilling for address in self.alive}

    def send(self, job, address):
        self.sent.append(job.out.name)
        if job.out.name in self.deadly:
            self.alive[self.alive.index(address)] = f"worker-{self.started}"
            self.started += 1
            return InlineFuture(None)
        if job.out.name in self.broken:
            return InlineFuture({}, self.broken[job.out.name])
        there = unpickled(*pickled(job.packed())).moved(job.out.with_name(f"{job.out.name}.there"), 1, 0.0)
        run_job(there)
        return InlineFuture(files_of(there.out))


@contextlib.contextmanager
def inline_workers():
    """Put a class of workers that are none in the place of those that Dask starts, and return it."""
    kind = type("Kind", (InlineWorkers,), {"sent": []})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "Workers", kind)
        yield kind
