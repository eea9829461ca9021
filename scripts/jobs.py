"""Jobs in processes of their own, in a folder where an interrupted lot goes on."""

import json
import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from candidate import Job, read_result, run_job
from tqdm import tqdm

from data import Dataset
from inference import create_run, save_json
from model import MeasureMismatch, Observation


def open_folder(out: Path, settings: dict[str, Any]) -> None:
    """Make the folder, or go on in one that has the same settings.

    Raises:
        ValueError: for a folder with other settings, or with something else in it.
        MeasureMismatch: for a folder with models of other data.
    """
    file = out / "settings.json"
    if not out.exists():
        create_run(out)
        save_json(file, settings)
        return
    if not file.is_file():
        raise ValueError(f"{out} exists already, and holds no settings.json; choose another --out, or remove it")
    try:
        before = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file} is damaged ({error}); choose another --out, or remove {out}") from None
    now = json.loads(json.dumps(settings))
    changed = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    if "data" in changed and isinstance(before.get("data"), dict) and isinstance(now["data"], dict):
        was, new = before["data"], now["data"]
        key = next(key for key in {**was, **new} if was.get(key) != new.get(key))
        raise MeasureMismatch(
            f"{out} holds models of other data: {key} was {was.get(key)}, and is {new.get(key)} now; likelihoods of "
            "different data are never ranked: choose another --out"
        )
    if changed:
        first = changed[0]
        raise ValueError(
            f"{out} holds results with other settings: {first} was {before.get(first)}, and is {now.get(first)} now; "
            "choose another --out, or give the same settings to go on"
        )


def done(folder: Path) -> bool:
    """Return whether a job has ended for good; one that failed for want of memory, say, is tried again."""
    result = read_result(folder)
    return result is not None and result["status"] != "failed"


def run_jobs(jobs: Sequence[Job], at_once: int) -> None:
    """Run jobs that have no result yet in processes of their own, with one progress bar over all their epochs.

    An interrupt from the keyboard ends them here: they leave no result then, and are run anew.

    A process that dies, as for want of memory, costs its own job alone.
    """
    # Fresh processes: a fork of one in which torch has used its threads may hang.
    start = multiprocessing.get_context("spawn").Process
    waiting, running = [job for job in jobs if not done(job.out)], dict[Job, BaseProcess]()
    with tqdm(total=sum(job.training["epochs"] for job in jobs), unit="epoch", disable=None) as bar:
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    job = waiting.pop(0)
                    running[job] = start(target=run_job, args=(job,))
                    with _interrupts_ignored():
                        running[job].start()
                for job, process in list(running.items()):
                    process.join(0.5 / len(running))
                    if process.exitcode is not None:
                        del running[job]
                        result = read_result(job.out) or died(job, process.exitcode)
                        bar.write(f"{job.config['observation']}, seed {job.training['seed']}: {result['status']}")
                bar.n = sum(_epochs(job) for job in jobs)
                bar.refresh()
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


def died(job: Job, code: int) -> dict[str, Any]:
    """Record that a job's process has ended without a result."""
    killed = "; it was killed, as for want of memory: take fewer --jobs or less --memory" if code < 0 else ""
    result = {"status": "failed", "message": f"its process ended with exit code {code}{killed}"}
    save_json(job.out / "result.json", result)
    return result


def _epochs(job: Job) -> int:
    if done(job.out):
        return job.training["epochs"]
    file = job.out / "history.csv"
    return len(file.read_text(encoding="utf-8").splitlines()) - 1 if file.is_file() else 0


def refusal(observation: Observation, data: Dataset) -> str:
    """Return why an observation refuses the data; empty where it takes them."""
    try:
        for split in ("train", "validation", "test"):
            observation.check(data.split(split), data.rows[split])
    except ValueError as error:
        return str(error)
    return ""
