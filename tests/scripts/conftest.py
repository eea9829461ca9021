"""Programs that tests start, and that do not outlive them."""

import contextlib
import os
import signal
import subprocess

import pytest


def _descendants(pid):
    """Return the ids of the processes that a process has started, and theirs."""
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
    return [one for child in map(int, found) for one in (child, *_descendants(child))]


@pytest.fixture
def group():
    """Return a way to start a program in a process group of its own; what is left of it is killed at the end.

    Programs such as torchrun give those that they start groups of their own, which are killed, too.
    """
    started = []

    def start(line, **options):
        started.append(subprocess.Popen(line, start_new_session=True, **options))
        return started[-1]

    yield start
    for process in started:
        for leader in (*_descendants(process.pid), process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(leader if leader == process.pid else os.getpgid(leader), signal.SIGKILL)
        process.communicate(timeout=60)
