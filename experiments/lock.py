"""A folder that one process at a time may work in."""

import os
import sys
import warnings
from pathlib import Path
from types import TracebackType
from typing import Self

from obsvae.errors import UsageError


class FolderLock:
    """Keeps other processes from working in a folder, as a context manager or from :meth:`acquire` to :meth:`release`.

    The system holds it, and gives it up when the process ends, however that happens, so that none is ever left behind.
    Windows has no such lock: there nobody is kept away.

    Args:
        folder: which is there.

    Raises:
        UsageError: where another process works in it, or another thread of this one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.descriptor: int | None = None

    def acquire(self) -> None:
        """Take the folder."""
        if sys.platform == "win32":
            return
        import fcntl

        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise UsageError(
                f"another process is working in {self.folder}; wait until it has ended, or choose another folder"
            ) from None
        except OSError as error:  # some network folders have no locks
            os.close(descriptor)
            warnings.warn(
                f"{self.folder} cannot be locked ({error.strerror}); see that no other process works in it",
                stacklevel=2,
            )
            return
        self.descriptor = descriptor

    def release(self) -> None:
        """Give the folder to others; nothing happens where it was not taken."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def __del__(self) -> None:
        self.release()
