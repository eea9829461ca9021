"""Processes that torchrun, or another starter of torch's kind, has started together."""

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import Tensor
from torch import distributed as dist

from obsvae.errors import UsageError
from obsvae.inference.processes.alone import Processes, ProcessesParted

# That one process may be ahead of another, such as while the first one downloads data. Of one that has died, the others
# hear at once.
_PATIENCE = timedelta(hours=1)
# That the others leave the first one to save what there is, before their end has all ended.
_LEAVING = 60.0  # s
# Is set once the first process has ended.
_ENDED = "first has ended"


class Group(Processes):
    """Processes that share a work by torch's process group: gloo on the CPU, NCCL on GPUs.

    Args:
        store: through which they find each other.
        rank: number of this process, from 0.
        size: number of processes.

    Raises:
        ProcessesParted: by each method, where another process does not answer any more.
    """

    def __init__(self, store: dist.Store, rank: int, size: int) -> None:
        super().__init__(rank, size)
        self.store = dist.PrefixStore("obsvae", store)
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        with self._answered():
            dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=_PATIENCE)

    def device(self, device: torch.device) -> torch.device:
        """Return where this process computes: on a machine of several GPUs on that of its local rank."""
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", self.rank))) if device.type == "cuda" else device

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum over processes, in the place of the values."""
        with self._answered():
            dist.all_reduce(values)
        return values

    def gather[T](self, value: T) -> list[T]:
        """Return the values of all processes, by rank."""
        found: list[T | None] = [None] * self.size
        with self._answered():
            dist.all_gather_object(found, value)
        return found  # type: ignore[return-value]  # all are filled now

    def spread(self, tensors: Iterable[Tensor]) -> None:
        """Give tensors the values that the first process has."""
        with self._answered():
            for tensor in tensors:
                values = tensor.detach()
                dist.broadcast(values.view(torch.uint8) if values.dtype == torch.bool else values, 0)

    def lead(self, act: Callable[[], object], *ends: type[BaseException]) -> None:
        """Let the first process act while the others wait."""
        end = None
        if self.is_first:
            try:
                act()
            except ends as error:
                end = error
        kind = None if end is None else next(i for i, one in enumerate(ends) if isinstance(end, one))
        (first, _), *_ = found = self.gather((kind, self.interrupts.count))
        if first is not None:
            raise ends[first]() if end is None else end
        if any(waiting for _, waiting in found):
            self.interrupts.end()

    def require_same(self, what: str, values: Mapping[str, object]) -> None:
        """Refuse values, by name, that differ between processes."""
        first, *others = self.gather(dict(values))
        for rank, other in enumerate(others, start=1):
            if differing := [name for name in first if first[name] != other.get(name)]:
                name = differing[0]
                raise UsageError(
                    f"the {what} must be the same in all processes, but {name} is {first[name]} in process 0 and "
                    f"{other.get(name)} in process {rank}; start all of them alike, with the same data"
                )

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """Let the first process go first."""
        if not self.is_first:
            self.gather(None)
        yield
        if self.is_first:
            self.gather(None)

    @contextmanager
    def deferring_interrupts(self) -> Iterator[None]:
        """Keep interrupts until all processes can end at one place."""
        with self.interrupts.deferred():
            yield

    def claim(self) -> bool:
        """Return whether this process is the first to end by an error or an interrupt, and so to tell why."""
        with self._answered():
            return self.store.add("ends", 1) == 1

    def leave(self) -> None:
        """Leave the group once the first process is done, which torchrun would end where another failed before."""
        self._await_the_first(_PATIENCE.total_seconds())
        self._part()

    def leave_by_error(self) -> None:
        """Leave the group before this process ends by an error or an interrupt, once the first has saved all."""
        self._part()  # at first: the others hear of it
        self._await_the_first(_LEAVING)

    def _part(self) -> None:
        if dist.is_initialized():
            dist.destroy_process_group()

    def _await_the_first(self, seconds: float) -> None:
        """Say that the first process has ended, or wait until it has, for some time at most."""
        until = time.monotonic() + seconds
        with self._answered():
            if self.is_first:
                self.store.set(_ENDED, "yes")
            while not self.store.check([_ENDED]) and time.monotonic() < until:
                time.sleep(0.05)

    @contextmanager
    def _answered(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:  # torch has no narrower one for all that gloo says
            self.is_parted = True
            # Without the place in the source of gloo, and its advice.
            why = re.sub(r"^\[\S+\] ", "", str(error).splitlines()[0]).split(". This is typically")[0]
            raise ProcessesParted(
                f"another process has ended, or cannot be reached ({why}); look for what it says, or what its machine "
                "does"
            ) from error
