"""A job on its way to a worker, its work there, and the files that come back."""

import io
import logging
import pickle
import signal
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obsvae.data import Dataset
from obsvae.experiments.jobs.job import RESULT, Job, run_job
from obsvae.inference import Callback, History
from obsvae.whole_files import write_whole

if TYPE_CHECKING:
    from distributed import Worker

# Seconds between two messages of a job on how far it has come.
_BETWEEN = 0.2
# Torch's random numbers and Pyro's state are a process's own: jobs of two clients must not share them.
_ONE_AT_A_TIME = threading.Lock()


def pickled(job: Job) -> tuple[bytes, list[Dataset]]:
    """Return a job as bytes, and apart from it the datasets in it: many jobs have the same, and it may be large."""
    datasets = list[Dataset]()

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj: object) -> int | None:
            if not isinstance(obj, Dataset):
                return None
            datasets.append(obj)
            return len(datasets) - 1

    buffer = io.BytesIO()
    Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump(job)
    return buffer.getvalue(), datasets


def unpickled(job: bytes, datasets: Sequence[Dataset]) -> Job:
    """Return the job that :func:`pickled` was given."""

    class Unpickler(pickle.Unpickler):
        def persistent_load(self, pid: Any) -> Dataset:
            return datasets[pid]

    loaded = Unpickler(io.BytesIO(job)).load()
    assert isinstance(loaded, Job)
    return loaded


def run_there(job: bytes, datasets: Sequence[Dataset], topic: str, sent: float) -> dict[str, bytes]:
    """Do a job as a task of a Dask worker, in a folder of its machine.

    Args:
        job: from :func:`pickled`.
        datasets: that belong to it.
        topic: of the events by which the client is told how far it has come.
        sent: the client's :func:`time.time` when it sent the job: clocks of machines differ.

    Returns:
        What the job left in its folder, by relative path; nothing where the client has given it up.
    """
    from distributed import get_worker
    from tqdm import tqdm

    later = time.time() - sent
    worker = get_worker()
    _end_profile(worker)
    tqdm.set_lock(threading.RLock())  # its own, between processes, would be left behind where this one is killed
    with _ONE_AT_A_TIME, tempfile.TemporaryDirectory(prefix="obsvae-", dir=worker.local_directory) as folder:
        out = Path(folder) / "job"
        try:
            run_job(unpickled(job, datasets).moved(out, worker.state.nthreads, later), [_Report(worker, topic)])
        except KeyboardInterrupt:  # from _Report: it would end the worker
            return {}
        return files_of(out)


def _end_profile(worker: "Worker") -> None:
    """Stop Dask's profiler of jobs, which a worker that others have started has.

    It holds the frames of the job's thread every 10 ms, and with them tensors that torch.export traces, which then
    takes them for constants and fails, now and then.
    """
    profile = worker.periodic_callbacks.get("profile")
    if profile is not None:
        worker.loop.add_callback(profile.stop)


def files_of(out: Path) -> dict[str, bytes]:
    """Return the files of a job's folder by relative path."""
    return {file.relative_to(out).as_posix(): file.read_bytes() for file in out.rglob("*") if file.is_file()}


def unpack(files: Mapping[str, bytes], out: Path) -> None:
    """Write the files of a job into its folder, and last its result, by which it has ended."""
    for name, content in sorted(files.items(), key=lambda item: item[0] == RESULT):
        path = Path(name)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"a worker sent a file for outside of the job's folder: {name}")
        write_whole(out / path, partial(Path.write_bytes, data=content))


class _Report(Callback):
    """Tells the client after each epoch how many have ended, and ends training that it no longer waits for."""

    def __init__(self, worker: "Worker", topic: str) -> None:
        self.worker, self.topic = worker, topic
        self.key = worker.get_current_task()
        self.told = 0.0

    def on_epoch(self, history: History) -> None:
        task = self.worker.state.tasks.get(self.key)
        if task is None or task.state == "cancelled":
            raise KeyboardInterrupt
        if time.monotonic() - self.told > _BETWEEN:
            self.told = time.monotonic()
            self.worker.log_event(self.topic, {"key": self.key, "epochs": len(history)})


def dask_setup(worker: "Worker") -> None:
    """Make a local worker silent, also at an interrupt from the keyboard: its client ends it, and tells of it.

    Dask calls it in the worker's main thread when it starts one, also in the place of one that died.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # it was held while the worker started
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
