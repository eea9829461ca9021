"""How busy the machine is: times are worth something where nothing else runs."""

import os
import time
from pathlib import Path

# Cores that others may use before a warning, and the seconds that they are watched for.
_QUIET, _WATCHED = 0.2, 0.5


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def busy_line() -> str:
    """Return a line with the load, and with a warning where other programs use the cores."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    used = _used()
    line = f"{cores()} cores, load average {load:.2f}"
    if used is None or used <= _QUIET:
        return line
    return f"{line}; other programs use {used:.1f} cores now: wait until the machine is idle, and time again"


def _used() -> float | None:
    """Return the number of cores in use while this process sleeps; None where the system does not tell."""
    before = _ticks()
    time.sleep(_WATCHED)
    after = _ticks()
    if before is None or after is None or after[1] == before[1]:
        return None
    # Over all the machine's cores, of which this process may have some.
    return (os.cpu_count() or 1) * (after[0] - before[0]) / (after[1] - before[1])


def _ticks() -> tuple[int, int] | None:
    """Return the ticks of all cores that were used, and all of them."""
    try:
        first, *_ = Path("/proc/stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    # user, nice, system, idle, iowait, irq, softirq, steal; guests are counted in the first two
    ticks = [int(number) for number in first.split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)
