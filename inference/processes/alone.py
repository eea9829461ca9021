"""What a work asks of the processes that share it; and the answers where there is but one."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from obsvae.inference.processes.interrupts import Interrupts


class ProcessesParted(RuntimeError):  # noqa: N818 - it names what happened
    """Raised where processes cannot go on together: one has died or left by an error, or they have drifted apart."""


class Processes:
    """The processes that share a work: here the one there is, so that nothing is shared and nobody waited for.

    Several are a :class:`Group`. Each of them calls each method, in the same order, or the others wait for it.

    Attributes:
        rank: number of this process, from 0; the first one writes files and speaks.
        size: number of processes.
        interrupts: that wait while :meth:`deferring_interrupts` holds.
        is_parted: whether another process did not answer any more.
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size
        self.interrupts = Interrupts()
        self.is_parted = False

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes files and speaks."""
        return self.rank == 0

    def part(self, n: int) -> slice:
        """Return which of n rows this process computes: a run of them, whose lengths differ by one at most."""
        return slice(n * self.rank // self.size, n * (self.rank + 1) // self.size)

    def device(self, device: torch.device) -> torch.device:
        """Return where this process computes: of several GPUs its own."""
        return device

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum over processes of values of the same shape, with the same bits in each."""
        return values

    def gather[T](self, value: T) -> list[T]:
        """Return the values of all processes, by rank."""
        return [value]

    def spread(self, tensors: Iterable[Tensor]) -> None:
        """Give tensors the values that the first process has."""

    def lead(self, act: Callable[[], object], *ends: type[BaseException]) -> None:
        """Let the first process act while the others wait.

        Args:
            act: what to do.
            ends: exceptions by which all shall end where the first process ends by one of them.

        Raises:
            KeyboardInterrupt: where an interrupt waits in any process.
        """
        act()

    def require_same(self, what: str, values: Mapping[str, object]) -> None:
        """Refuse values, by name, that differ between processes.

        Args:
            what: what they are, for the message.
            values: plain ones.

        Raises:
            UsageError: naming the first value that differs.
        """

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """Let the first process go first: it may download or store what the others then find."""
        yield

    @contextmanager
    def deferring_interrupts(self) -> Iterator[None]:
        """Keep interrupts until all processes can end at one place."""
        yield

    def claim(self) -> bool:
        """Return whether this process is the first to end by an error or an interrupt, and so to tell why."""
        return True

    def leave(self) -> None:
        """Leave the others once the first process is done, which speaks and writes last."""

    def leave_by_error(self) -> None:
        """Leave the others before this process ends by an error or an interrupt, which makes torchrun end them.

        The first process may still be saving what there is: it is waited for, for a minute at most.
        """


ALONE = Processes()
