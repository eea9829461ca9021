"""Files that are written whole, or not at all."""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path


def write_whole(path: Path, write: Callable[[Path], object]) -> Path:
    """Let ``write`` fill a temporary file beside ``path``, and rename it: nobody ever sees half a file.

    What a process has left that was killed meanwhile goes when the same file is written again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    _remove_left(path)
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _remove_left(path: Path) -> None:
    """Remove temporary files of the same path, of processes that are no more."""
    if sys.platform == "win32":  # where to ask for a process would end it
        return
    ours = re.compile(rf"\.{re.escape(path.stem)}-(\d+){re.escape(path.suffix)}")
    for file in path.parent.iterdir():
        if (found := ours.fullmatch(file.name)) is not None and not _is_alive(int(found[1])):
            file.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # of another user
        return True
    return True
