"""Jobs one after another, or in processes of their own, in a folder where an interrupted comparison goes on."""

import json
import multiprocessing
import reprlib
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tqdm import tqdm

from obsvae.errors import UsageError
from obsvae.experiments.comparison.candidate import Job, read_result, run_in_process, run_job
from obsvae.experiments.files import create_run, save_json
from obsvae.inference import Callback, History
from obsvae.model import MeasureMismatch


def open_folder(out: Path, settings: dict[str, Any]) -> None:
    """Make the folder, or go on in one that has the same settings.

    Raises:
        UsageError: for a folder with other settings, or with something else in it.
        MeasureMismatch: for a folder with models of other data.
    """
    file = out / "settings.json"
    if not out.exists():
        create_run(out)
        save_json(file, settings)
        return
    if not file.is_file():
        raise UsageError(f"{out} exists already, and holds no settings.json; choose another folder, or remove it")
    try:
        before = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{file} is damaged ({error}); choose another folder, or remove {out}") from None
    now = json.loads(json.dumps(settings))
    changed = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    for part in ("data", "observed"):
        was, new = before.get(part), now.get(part)
        if part in changed and isinstance(was, dict) and isinstance(new, dict):
            key = next(key for key in {**was, **new} if was.get(key) != new.get(key))
            values = reprlib.repr(was.get(key)), reprlib.repr(new.get(key))
            raise MeasureMismatch(
                f"{out} holds models of other data: {key} was {values[0]}, and is {values[1]} now; likelihoods of "
                "different data are never ranked: choose another folder"
            )
    if changed:
        first = changed[0]
        raise UsageError(
            f"{out} holds results with other settings: {first} was {before.get(first)}, and is {now.get(first)} now; "
            "choose another folder, or give the same settings to go on"
        )


def done(folder: Path) -> bool:
    """Return whether a job has ended for good; one that failed for want of memory, say, is tried again."""
    result = read_result(folder)
    return result is not None and result["status"] != "failed"


def run_jobs(jobs: Sequence[Job], at_once: int | None, progress: bool = True) -> None:
    """Run the jobs that have no result yet, with one progress bar over all their epochs.

    An interrupt from the keyboard ends them here: they leave no result then, and are run anew.

    Args:
        jobs: in the order in which they start.
        at_once: how many processes side by side: one that dies, as for want of memory, costs its own job alone. None:
            one after another, in this process.
        progress: show the bar, where standard error is a terminal, and tell how each job ended.
    """
    waiting = [job for job in jobs if not done(job.out)]
    with tqdm(total=_epochs_of(jobs), unit="epoch", disable=None if progress else True) as bar:

        def show() -> None:
            bar.n = sum(_epochs(job) for job in jobs)
            bar.refresh()

        def ended(job: Job) -> None:
            result = read_result(job.out)
            assert result is not None
            if progress:
                bar.write(f"{job.observation}, seed {job.training['seed']}: {result['status']}")
            show()

        if at_once is None:
            for job in waiting:
                run_job(job, [_AfterEpoch(show)])
                ended(job)
        else:
            _run_in_processes(waiting, at_once, show, ended)


class _AfterEpoch(Callback):
    def __init__(self, show: Callable[[], None]) -> None:
        self.show = show

    def on_epoch(self, history: History) -> None:
        self.show()


def _run_in_processes(waiting: list[Job], at_once: int, show: Callable[[], None], ended: Callable[[Job], None]) -> None:
    # Fresh processes: a fork of one in which torch has used its threads may hang.
    start = multiprocessing.get_context("spawn").Process
    running = dict[Job, BaseProcess]()
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                job = waiting.pop(0)
                started = start(target=run_in_process, args=(job,))
                with _interrupts_ignored():
                    started.start()
                    running[job] = started
            for job, process in list(running.items()):
                process.join(0.5 / len(running))
                if process.exitcode is not None:
                    del running[job]
                    if read_result(job.out) is None:
                        died(job, process.exitcode)
                    ended(job)
            show()
    finally:
        for process in running.values():
            process.terminate()
            process.join()


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


def _epochs_of(jobs: Sequence[Job]) -> int:
    return sum(int(job.training["epochs"]) for job in jobs)


def _epochs(job: Job) -> int:
    if done(job.out):
        return _epochs_of([job])
    file = job.out / "history.csv"
    return len(file.read_text(encoding="utf-8").splitlines()) - 1 if file.is_file() else 0
