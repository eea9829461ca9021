"""Interrupts that wait until all processes can end at one place."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interrupts:
    """Interrupts from the keyboard and by SIGTERM, kept while a process shares a work.

    A process that ended by itself would leave the others waiting. Instead all of them add up :attr:`count` where they
    talk to each other anyway, and end together, by :meth:`end`, where the sum is not 0.

    Attributes:
        count: 1 where an interrupt waits, else 0.
    """

    def __init__(self) -> None:
        self.waiting: list[Callable[[], Any]] = []

    @property
    def count(self) -> int:
        """1 where an interrupt waits, else 0."""
        return len(self.waiting[:1])

    def end(self) -> None:
        """End as the interrupt that waits would have, or as one from the keyboard where it came to another process.

        Raises:
            KeyboardInterrupt: in any case.
        """
        for handle in self.waiting[:1]:
            self.waiting.clear()
            handle()
        raise KeyboardInterrupt

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Keep the interrupts that a program of Python's own handles; one that nobody has ended by comes at last.

        Where the work ends by an exception it is forgotten: kept, it would end the next work.
        """
        if threading.current_thread() is not threading.main_thread():  # where no signals come
            yield
            return
        before, is_whole = {}, False
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if callable(handler):
                before[number] = handler
                signal.signal(number, self._kept(handler))
        try:
            yield
            is_whole = True
        finally:
            for number, handler in before.items():
                # Who handled an interrupt may have had reasons to set another handler.
                if isinstance(signal.getsignal(number), _Kept):
                    signal.signal(number, handler)
            if not is_whole:
                self.waiting.clear()
        if self.waiting and any(isinstance(handler, _Kept) for handler in before.values()):
            for handle in self.waiting:  # which others keep within whom this is
                handle()
            self.waiting.clear()
        elif self.waiting:
            self.end()

    def _kept(self, handler: Callable[[int, FrameType | None], Any]) -> "_Kept":
        return _Kept(self.waiting, handler)


class _Kept:
    """A handler that keeps an interrupt for later."""

    def __init__(self, waiting: list[Callable[[], Any]], handler: Callable[[int, FrameType | None], Any]) -> None:
        self.waiting, self.handler = waiting, handler

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.waiting.append(lambda: self.handler(number, frame))
