"""A training program in a process of its own, kept alive and asked in turn."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class ProgramEnded(Exception):  # noqa: N818 - it names what happened
    """Raised where a training program ends before it answers; its text is the error that it wrote."""


class Process:
    """A training program that runs until the block ends.

    Args:
        line: the command with its arguments.
        folder: where it is called; None: here.
        variables: of its environment, beside those of this process.
        threads: it gets this number of cores, where the system lets us say so.
    """

    def __init__(self, line: Sequence[str], folder: Path | None, variables: Mapping[str, str], threads: int) -> None:
        self.line, self.folder, self.threads = line, folder, threads
        # Packages read the one or the other; NPROC is JAX's.
        numbers = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"), str(threads))
        self.environment = {**os.environ, **numbers, "JAX_PLATFORMS": "cpu", **variables}

    def __enter__(self) -> Self:
        self.scratch = tempfile.TemporaryDirectory()
        # What others have compiled before must not shorten the time to the first step.
        self.environment["TORCHINDUCTOR_CACHE_DIR"] = self.scratch.name
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(
            self.line,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            encoding="utf-8",
        )
        if sys.platform == "linux":
            cores = sorted(os.sched_getaffinity(0))[: self.threads]
            os.sched_setaffinity(self.process.pid, cores)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.communicate()
        self.errors.close()
        self.scratch.cleanup()

    def ask(self, **asked: Any) -> dict[str, Any]:
        """Return the program's answer.

        Raises:
            ProgramEnded: where it gives none.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            print(json.dumps(asked), file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            self.process.wait()
            self.errors.seek(0)
            said = [line.strip() for line in self.errors if line.strip()]
            errors = [line for line in said if re.match(r"[\w.]+(Error|Exception|Warning)\b", line)]
            raise ProgramEnded([f"exit code {self.process.returncode}", *said[-1:], *errors][-1])
        return dict(json.loads(answer))
