"""Dask workers, each of which does one job at a time: of this machine, or of a scheduler that runs already."""

import logging
import sys
import time
import uuid
from collections import OrderedDict
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tqdm import tqdm

from obsvae.data import Dataset
from obsvae.errors import UsageError
from obsvae.experiments.jobs.job import Job
from obsvae.experiments.jobs.local import local_cluster, signals_held
from obsvae.experiments.jobs.scheduler import ANSWER, compared, require_answer
from obsvae.experiments.jobs.worker import pickled, run_there

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster

# Datasets that a worker keeps for its next jobs.
_KEPT = 2


def workers_of(jobs: int | None, scheduler: str | None) -> "AbstractContextManager[Workers | None]":
    """Return what runs the jobs of a command, as a context manager; None stands for this process itself.

    Args:
        jobs: how many workers to start on this machine; None: none.
        scheduler: the address of a Dask scheduler whose workers are taken instead, such as ``tcp://10.0.0.5:8786``.

    Raises:
        UsageError: where both are given.
    """
    if jobs is not None and scheduler is not None:
        raise UsageError(
            f"jobs={jobs} starts workers here, and scheduler={scheduler!r} has workers already; give one of the two"
        )
    return nullcontext() if jobs is None and scheduler is None else Workers(jobs, scheduler)


class Workers:
    """Dask workers and the client that gives them work, as a context manager.

    A worker does one job at a time. Those of this machine are started when they are first needed.

    Args:
        jobs: how many to start on this machine; None: take those of the scheduler.
        scheduler: its address.

    Raises:
        UsageError: where the scheduler does not answer, on entry.
    """

    def __init__(self, jobs: int | None, scheduler: str | None) -> None:
        self.jobs, self.scheduler = jobs, scheduler
        # Epochs that have ended, by the key of a job's task, as workers tell.
        self.epochs: dict[str, int] = {}
        self._topic = f"obsvae-{uuid.uuid4().hex}"
        self._stack = ExitStack()
        # Workers that are as this process, and those that are not.
        self._known, self._others = set[str](), set[str]()
        self._cluster: LocalCluster | None = None
        # By worker and id; each dataset is held beside its future, so that no other has its id.
        self._held: dict[str, OrderedDict[int, tuple[Dataset, Future]]] = {}

    def __enter__(self) -> Self:
        if self.scheduler is not None:
            _ = self.client
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._held.clear()
        self._stack.close()

    @property
    def number(self) -> int:
        """How many there are; at least 1, as a scheduler may get its workers later."""
        return max(1, len(self.present())) if self.jobs is None else self.jobs

    @cached_property
    def client(self) -> "Client":
        """The connection to them."""
        from distributed import Client
        from distributed.utils import silence_logging_cmgr

        self._stack.enter_context(silence_logging_cmgr(logging.CRITICAL))  # what matters is told by us
        if self.scheduler is not None:
            require_answer(self.scheduler)
        with signals_held():
            if self.jobs is not None:
                self._cluster = self._stack.enter_context(local_cluster(self.jobs))
            client = Client(self._cluster or self.scheduler, timeout=ANSWER, set_as_default=False)
            self._stack.callback(client.close)
        client.subscribe_topic(self._topic, self._hear)
        return client

    def present(self) -> dict[str, bool]:
        """Return the addresses of the workers that there are, and whether each takes work.

        Raises:
            UsageError: where the scheduler has gone, and where the first workers include one with other versions than
                this process; one that comes later is told of, and left out.
        """
        ask = self.client.scheduler
        try:
            if ask is None:  # as the client has after a while without its scheduler
                raise ConnectionError("the connection to it is closed")
            # Not client.scheduler_info(): the client's own looks, which tell of no worker, may come between.
            found = self.client.sync(ask.identity)["workers"]
            known = found.keys() if self.scheduler is None else self._alike(found.keys())
        except OSError as error:
            raise UsageError(
                f"the scheduler {self.scheduler or 'of this machine'} does not answer any more ({error}); what has "
                "ended is kept: with a scheduler that answers the same call goes on"
            ) from None
        # One that is started in the place of another is there before Dask has noted so: were it to die now, no other
        # would be started.
        nannies = None if self._cluster is None else self._cluster.workers.values()
        noted = found.keys() if nannies is None else {one.worker_address for one in nannies}
        for gone in self._held.keys() - found.keys():
            del self._held[gone]
        return {
            address: one["status"] == "running" and address in noted
            for address, one in found.items()
            if address in known
        }

    def _alike(self, there: Collection[str]) -> Collection[str]:
        """Return which workers are as this process; new ones are asked, and left out until they have answered."""
        self._others &= set(there)  # it may come back as it should be
        new = sorted(set(there) - self._known - self._others)
        found = compared(self.client, new) if new else {}
        others = {address: other for address, other in found.items() if other}
        if others and not self._known:
            raise UsageError(next(iter(others.values())))
        for other in others.values():
            tqdm.write(f"{other}; it is left out until then", file=sys.stderr)
        self._others |= others.keys()
        self._known |= found.keys() - others.keys()
        return self._known

    def send(self, job: Job, address: str) -> "Future | None":
        """Give a job to a worker; return the future of the files that it leaves, or None where the worker has gone."""
        from distributed import CancelledError
        from distributed.client import ClosedClientError

        content, datasets = pickled(job.packed())
        if self.client.scheduler is None:  # of which the next look tells
            return None
        try:
            there = [self._sent(one, address) for one in datasets]
            what = content, there, self._topic, time.time()
            return self.client.submit(run_there, *what, workers=[address], allow_other_workers=False, pure=False)
        # The scheduler has KeyError for a worker that it no longer knows.
        except (OSError, KeyError, CancelledError, ClosedClientError):
            return None

    def _sent(self, data: Dataset, address: str) -> "Future":
        """Return the future of a dataset on a worker, which has it from an earlier job or gets it now."""
        held = self._held.setdefault(address, OrderedDict())
        if id(data) not in held or held[id(data)][1].status != "finished":
            held[id(data)] = data, self.client.scatter(data, workers=[address], hash=False, timeout=ANSWER)
        held.move_to_end(id(data))
        while len(held) > _KEPT:
            held.popitem(last=False)
        return held[id(data)][1]

    def _hear(self, event: tuple[float, Mapping[str, Any]]) -> None:
        _, message = event
        self.epochs[message["key"]] = message["epochs"]
