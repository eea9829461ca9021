"""Running a command: exit codes, and errors of one line."""

import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from types import FrameType
from typing import NoReturn

from obsvae.errors import UsageError, one_line
from obsvae.experiments.command_line.words import in_flags
from obsvae.experiments.memory import out_of_memory
from obsvae.inference import TrainingDiverged, flushing_denormals
from obsvae.inference.processes.alone import ALONE, Processes, ProcessesParted
from obsvae.inference.processes.joining import join


def run(main: Callable[[Sequence[str] | None], None], arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command, and leave with its exit code.

    It is 2 for wrong use, files that cannot be read or written, and too little memory, 1 where training diverged, 130
    for an interrupt, and 143 for SIGTERM, by which clusters take back a machine, each with one line. Any other error is
    a fault of the program: it shows its traceback. Of several processes the first speaks, and of their ends the one
    that ends first.
    """
    name = Path(sys.argv[0]).name
    warnings.formatwarning = _one_line
    terminated, processes = list[int](), ALONE

    def terminate(number: int, frame: FrameType | None) -> None:
        if processes.is_parted:  # torchrun ends all where one has died: this one is ending by itself
            return
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: what follows saves what there is
        terminated.append(number)
        raise KeyboardInterrupt  # which ends what is going on in order

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        processes = join()
        with flushing_denormals(), _silent_but_for_the_first(processes):
            main(arguments)
            sys.stdout.flush()
        processes.leave()
    except UsageError as error:
        _end(processes, 2, f"{name}: error: {in_flags(str(error))}")
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _end(processes, 1)
    except OSError as error:
        where = error.filename2 or error.filename
        what = error.strerror or error
        message = f"{where}: {what}; check the path, its permissions and the space on the disk" if where else str(what)
        _end(processes, 2, f"{name}: error: {one_line(message)}")
    except ProcessesParted as error:
        _end(processes, 1, f"{name}: error: {error}")
    except TrainingDiverged as error:
        _end(processes, 1, f"{name}: {error}")
    except KeyboardInterrupt:
        code, how = (143, "terminated") if terminated else (130, "interrupted")
        _end(processes, code, f"{name}: {how}")
    except SystemExit as end:  # by the parser, which has told why
        _end(processes, end.code)
    except Exception as error:
        lacking = out_of_memory(error) if isinstance(error, MemoryError | RuntimeError) else None
        if lacking is not None:
            _end(processes, 2, f"{name}: error: {lacking}")
        if processes.size == 1:
            raise
        _end(processes, 1, traceback.format_exc().rstrip())
    finally:
        signal.signal(signal.SIGTERM, before)
    sys.exit(0)


@contextmanager
def _silent_but_for_the_first(processes: Processes) -> Iterator[None]:
    if processes.is_first:
        yield
        return
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield


def _end(processes: Processes, code: str | int | None, line: str | None = None) -> NoReturn:
    """Leave with an exit code, after a line where no other process has told of an end before."""
    is_error = code not in (None, 0)
    if processes.size > 1:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # which torchrun sends to all once one has ended by an error
    if is_error and line is not None and _may_speak(processes):
        print(line, file=sys.stderr)
    try:
        if is_error:
            processes.leave_by_error()
        else:
            processes.leave()
    except ProcessesParted as error:
        if not is_error:  # else why this process ends has been told
            print(f"{Path(sys.argv[0]).name}: error: {error}", file=sys.stderr)
            code = 1
    sys.exit(code)


def _may_speak(processes: Processes) -> bool:
    """Return whether no other process has told of an end before, as far as they can still be asked."""
    try:
        return processes.claim()
    except ProcessesParted:  # rather twice than never
        return True


def _one_line(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """Return a warning without the place in the source that raised it."""
    return f"warning: {message}\n"
