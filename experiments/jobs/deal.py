"""Jobs dealt to workers, one at a time to each."""

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pickle import PickleError
from typing import TYPE_CHECKING

from tqdm import tqdm

from obsvae.errors import UsageError
from obsvae.experiments.files import save_json
from obsvae.experiments.jobs.job import RESULT, Job, fault, set_aside
from obsvae.experiments.jobs.worker import unpack
from obsvae.experiments.jobs.workers import Workers

if TYPE_CHECKING:
    from distributed import Future

# Seconds between two looks at who is there, and how far they have come; the end of a job is seen at once.
_LOOK = 0.25
# Seconds in which the files of a job have to come.
_FETCH = 300.0
# Seconds without any worker after which it is said: the place of one that died is taken sooner.
_LONELY = 10.0
# Seconds after which it is an end, but where a scheduler has none at all: it may get workers hours later.
_LOST = 180.0
# How often a job is tried whose workers die.
_TRIES = 2


@dataclass
class _Running:
    job: Job
    future: "Future"
    start: float


def deal(
    jobs: Sequence[Job],
    workers: Workers,
    until: float | None,
    show: Callable[[int], None],
    ended: Callable[[Job], None],
) -> None:
    """Give each worker one job at a time, and write what comes back into the job's folder.

    Nothing is given ahead: where time runs out, those that are left are the last of all. A job whose worker dies is
    tried once more; the others do not notice.

    Args:
        jobs: in the order in which they start.
        workers: which do them; one that comes later gets some, too.
        until: when all shall have ended, as :func:`run_jobs` takes it.
        show: is told how many epochs of the jobs under way have ended.
        ended: is told of a job that has left its result.

    Raises:
        UsageError: where the scheduler has gone, or the workers of this machine for good, where none takes work, and
            for first workers with other versions than this process.
    """
    waiting, running = list(jobs), dict[str, _Running]()
    tries = Counter[Job]()
    longest = 0.0
    wait = _Wait(workers.scheduler)
    wake = threading.Event()
    try:
        while waiting or running:
            there = workers.present()
            for address, one in list(running.items()):
                if address in there and not one.future.done():
                    continue
                result = _result(one.future)
                del running[address]
                one.future.cancel()
                if result is None and tries[one.job] < _TRIES:
                    _tell(f"{one.job.name}: its worker died; it is tried once more")
                    waiting.insert(0, one.job)
                    continue
                if result is None:
                    _died(one.job)
                elif isinstance(result, Exception):
                    _failed(one.job, address, result)
                else:
                    unpack(result, one.job.out)
                longest = max(longest, time.time() - one.start)
                ended(one.job)
            if until is not None and time.time() + longest > until:
                waiting.clear()
            for address in [address for address, is_willing in there.items() if is_willing and address not in running]:
                start = time.time()
                if waiting and (future := workers.send(waiting[0], address)) is not None:
                    job = waiting.pop(0)
                    set_aside(job)
                    tries[job] += 1
                    future.add_done_callback(lambda _: wake.set())
                    running[address] = _Running(job, future, start)
            wait.look(bool(waiting) and not running, len(there))
            if waiting or running:
                show(sum(workers.epochs.get(str(one.future.key), 0) for one in running.values()))
                wake.wait(_LOOK)
                wake.clear()
    finally:
        for one in running.values():
            one.future.cancel()


class _Wait:
    """How long jobs have waited without any worker that takes them: it is told of, and has an end.

    Args:
        scheduler: the address of the workers' scheduler; None: they are this machine's.
    """

    def __init__(self, scheduler: str | None) -> None:
        self.scheduler = scheduler
        self.seconds, self.is_told, self.looked = 0.0, False, time.monotonic()

    def look(self, is_idle: bool, there: int) -> None:
        """Take note of what there is now.

        Args:
            is_idle: whether jobs wait, and no worker has one.
            there: the number of workers.

        Raises:
            UsageError: where nobody has taken a job for too long.
        """
        before, self.looked = self.looked, time.monotonic()
        if not is_idle:
            self.seconds, self.is_told = 0.0, False
            return
        self.seconds += self.looked - before
        where = self.scheduler or "this machine"
        who = "1 worker" if there == 1 else f"{there} workers"
        none = f"{who} at {where}, none of which takes work (paused for memory?)"
        if self.seconds > _LONELY and not self.is_told:
            _tell(f"{none}; waiting for one" if there else f"there is no worker at {where}; waiting for one")
            self.is_told = True
        if self.seconds > _LOST and (there or self.scheduler is None):
            lost = "the workers of this machine died, and none has come in their place"
            raise UsageError(
                f"{none if there else lost} for {self.seconds:.0f} s; what has ended is kept: the same call goes on"
            )


def _result(future: "Future") -> dict[str, bytes] | Exception | None:
    """Return the files that a job left, or the error by which it left none; None where its worker has died."""
    from distributed import CancelledError, KilledWorker

    if not future.done():
        return None
    try:
        return future.result(timeout=_FETCH)
    except (KilledWorker, CancelledError):
        return None
    except Exception as error:
        if future.status == "error":  # it was raised there, where also the disk or the packages may be at fault
            return error
        if isinstance(error, TimeoutError):  # it died before they were fetched
            return None
        raise


def _died(job: Job) -> None:
    """Record that a job has no result as its workers died."""
    message = (
        "the worker that ran it died, and so did the one on which it was tried once more, as for want of memory: take "
        "fewer jobs, or less memory"
    )
    save_json(job.out / RESULT, {"status": "failed", "message": message, "is_fault": False})


def _failed(job: Job, address: str, error: Exception) -> None:
    """Record that a job has no result as its worker could not run it, or not keep its files."""
    is_fault = not isinstance(error, OSError | ImportError | MemoryError | PickleError)
    why = fault(job, error) if is_fault else f"{type(error).__name__}: {' '.join(str(error).split())}"
    message = f"the worker {address} could not do it ({why}); look at that machine: its log, disk and packages"
    save_json(job.out / RESULT, {"status": "failed", "message": message, "is_fault": is_fault})


def _tell(text: str) -> None:
    tqdm.write(text, file=sys.stderr)
