"""Dask workers of this machine."""

import asyncio
import logging
import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from obsvae.errors import UsageError

if TYPE_CHECKING:
    from distributed import LocalCluster

# Seconds in which idle workers end by themselves; whoever is still at work then is killed.
_END = 1.0
# Seconds after which Dask is no longer waited for when it ends workers: one that is being started is started first.
_PATIENCE = 20.0


@contextmanager
def local_cluster(jobs: int) -> "Iterator[LocalCluster]":
    """Start workers on this machine, of a thread each and of equal shares of its memory, and end them.

    One that takes more memory is ended, and another takes its place.

    Args:
        jobs: how many.

    Raises:
        UsageError: where none can be started, as by a script that asks for them while it is imported.
    """
    import dask
    from distributed import LocalCluster
    from distributed.system import MEMORY_LIMIT

    settings = {
        # A worker that pauses when its memory is nearly full might wait for ever, as nothing of it is Dask's to free.
        **{f"distributed.worker.memory.{when}": False for when in ("target", "spill", "pause")},
        # Its profiler holds the frames of the job's thread, and with them tensors that torch.export traces, which then
        # takes them for constants and fails, now and then.
        "distributed.worker.profile.enabled": False,
        # It would give up for good who is not back after 15 s, and on a busy machine torch alone takes as long to load.
        "distributed.deploy.lost-worker-timeout": "1 day",
        # Without Dask's own MALLOC_TRIM_THRESHOLD_, by which memory goes back to the system at every step.
        "distributed.nanny.pre-spawn-environ": {"OMP_NUM_THREADS": 1, "MKL_NUM_THREADS": 1, "OPENBLAS_NUM_THREADS": 1},
    }
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="obsvae-", ignore_cleanup_errors=True))
        stack.enter_context(dask.config.set(settings))
        try:
            cluster = LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                processes=True,
                memory_limit=MEMORY_LIMIT // jobs,
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # else it tells of a port that is taken
                local_directory=folder,
                preload="obsvae.experiments.jobs.worker",
                silence_logs=logging.CRITICAL,
            )
        except RuntimeError as error:
            raise UsageError(
                f"no worker could be started ({error}); a script that asks for jobs needs "
                '`if __name__ == "__main__":`, or take jobs=None'
            ) from None
        stack.callback(_end, cluster)
        yield cluster


def _end(cluster: "LocalCluster") -> None:
    async def end() -> None:
        await asyncio.gather(*(nanny.close(timeout=_END) for nanny in cluster.workers.values()))

    try:
        cluster.sync(end, callback_timeout=_PATIENCE)
        cluster.close(timeout=_PATIENCE)
    except TimeoutError:  # Dask may wait for ever for a worker that died while it was started
        for pid in (nanny.pid for nanny in cluster.workers.values()):
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@contextmanager
def signals_held() -> Iterator[None]:
    """Let an interrupt or SIGTERM wait until what is being built is whole, so that it can be ended in order.

    Processes that are started meanwhile, or by a thread that is, hold them for good, and are silent at an interrupt.
    """
    if not hasattr(signal, "pthread_sigmask"):  # as on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
