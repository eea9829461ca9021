"""Running a command: exit codes, and errors of one line."""

import os
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from obsvae.errors import UsageError
from obsvae.experiments.command_line.words import in_flags
from obsvae.experiments.memory import out_of_memory
from obsvae.inference import TrainingDiverged, flushing_denormals


def run(main: Callable[[Sequence[str] | None], None], arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command, and leave with its exit code.

    It is 2 for wrong use, files that cannot be read or written, and too little memory, 1 where training diverged, 130
    for an interrupt, and 143 for SIGTERM, by which clusters take back a machine, each with one line. Any other error is
    a fault of the program: it shows its traceback.
    """
    name = Path(sys.argv[0]).name
    warnings.formatwarning = _one_line
    terminated = list[int]()

    def terminate(number: int, frame: FrameType | None) -> NoReturn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: what follows saves what there is
        terminated.append(number)
        raise KeyboardInterrupt  # which ends what is going on in order

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        with flushing_denormals():
            main(arguments)
        sys.stdout.flush()
    except UsageError as error:
        print(f"{name}: error: {in_flags(str(error))}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        where = error.filename2 or error.filename
        what = error.strerror or error
        print(f"{name}: error: {where}: {what}" if where else f"{name}: error: {what}", file=sys.stderr)
        sys.exit(2)
    except (MemoryError, RuntimeError) as error:
        lacking = out_of_memory(error)
        if lacking is None:
            raise
        print(f"{name}: error: {lacking}", file=sys.stderr)
        sys.exit(2)
    except TrainingDiverged as error:
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print(f"{name}: {'terminated' if terminated else 'interrupted'}", file=sys.stderr)
        sys.exit(143 if terminated else 130)
    finally:
        signal.signal(signal.SIGTERM, before)
    sys.exit(0)


def _one_line(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """Return a warning without the place in the source that raised it."""
    return f"warning: {message}\n"
