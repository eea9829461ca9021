"""Jobs one after another, or in processes of their own."""

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing.process import BaseProcess

from tqdm import tqdm

from obsvae.experiments.files import save_json
from obsvae.experiments.jobs.job import Job, done, in_time, read_result, restore, run_in_process, run_job, set_aside
from obsvae.inference import Callback, History


def run_jobs(
    jobs: Sequence[Job],
    at_once: int | None,
    progress: bool = True,
    *,
    each: int = 1,
    until: float | None = None,
    bar: tqdm | None = None,
) -> None:
    """Run the jobs that have no result yet, with one progress bar over all their epochs.

    An interrupt from the keyboard ends them here: they leave no result then, and are run anew.

    Args:
        jobs: in the order in which they start.
        at_once: how many processes side by side: one that dies, as for want of memory, costs its own job alone. None:
            one after another, in this process.
        progress: show the bar, where standard error is a terminal, and tell how each job ended.
        each: jobs that a process does at most before another takes its place: to start one takes seconds.
        until: when all shall have ended, in seconds since the epoch of :func:`time.time`: no job is started that would
            take longer, if it took as long as the longest before it in its process. None: all are run.
        bar: the caller's, which counts other jobs, too; None: one of their own.
    """
    for job in jobs:
        restore(job)  # what a kill left
    waiting = [job for job in jobs if not job.has_ended()]
    total = sum(job.epochs for job in jobs)
    own = tqdm(total=total, unit="epoch", disable=None if progress else True) if bar is None else nullcontext(bar)
    with own as shown:
        before = shown.n

        def show() -> None:
            shown.n = before + sum(_epochs(job) for job in jobs)
            shown.refresh()

        def ended(job: Job) -> None:
            result = read_result(job.out)
            assert result is not None
            if progress:
                shown.write(f"{job.name}: {result['status']}")
            show()

        try:
            if at_once is None:
                for job in in_time(waiting, until):
                    run_job(job, [_AfterEpoch(show)])
                    ended(job)
            else:
                _run_in_processes([*waiting], at_once, each, until, show, ended)
        finally:
            for job in waiting:
                restore(job)


class _AfterEpoch(Callback):
    def __init__(self, show: Callable[[], None]) -> None:
        self.show = show

    def on_epoch(self, history: History) -> None:
        self.show()


@dataclass
class _Running:
    process: BaseProcess
    jobs: list[Job]


def _run_in_processes(
    waiting: list[Job],
    at_once: int,
    each: int,
    until: float | None,
    show: Callable[[], None],
    ended: Callable[[Job], None],
) -> None:
    # Fresh processes: a fork of one in which torch has used its threads may hang.
    start = multiprocessing.get_context("spawn").Process
    running = list[_Running]()

    def may_start() -> bool:
        return bool(waiting) and (until is None or time.time() <= until)

    try:
        while may_start() or running:
            while may_start() and len(running) < at_once:
                # Dealt like cards: where time runs out, those that are left are the last of all.
                some = waiting[:: at_once - len(running)][:each]
                waiting[:] = [job for job in waiting if job not in some]
                for job in some:
                    set_aside(job)
                process = start(target=run_in_process, args=(some, until))
                with _interrupts_ignored():
                    process.start()
                    running.append(_Running(process, some))
            for one in list(running):
                one.process.join(0.5 / len(running))
                code = one.process.exitcode  # before the look at results: none comes after it
                while one.jobs and read_result(one.jobs[0].out) is not None:
                    ended(one.jobs.pop(0))
                if code is None:
                    continue
                running.remove(one)
                if one.jobs and (code != 0 or until is None):
                    died(one.jobs[0], code)
                    ended(one.jobs.pop(0))
                elif one.jobs:  # it had no time left for them, and others of its kind would have none
                    one.jobs.clear()
                waiting[:0] = one.jobs
            show()
    finally:
        for one in running:
            one.process.terminate()
            one.process.join()


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    # Children keep it so: they are ended from here, and not each with a traceback.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def died(job: Job, code: int) -> None:
    """Record that a job's process has ended without a result.

    One that was killed may have lacked memory. One that ended by itself has a fault, and has printed its traceback.
    """
    was_killed = code < 0
    why = (
        "it was killed, as for want of memory: take fewer jobs, or less memory"
        if was_killed
        else 'a script that asks for jobs needs `if __name__ == "__main__":`, or take jobs=None'
    )
    message = f"its process ended with exit code {code}{'' if was_killed else ', and printed why'}; {why}"
    save_json(job.out / "result.json", {"status": "failed", "message": message, "is_fault": not was_killed})


def _epochs(job: Job) -> int:
    if done(job.out):
        return job.epochs
    file = job.out / "history.csv"
    return len(file.read_text(encoding="utf-8").splitlines()) - 1 if file.is_file() else 0
