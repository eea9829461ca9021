"""Commands, called as a user does, and what they leave behind."""

import contextlib
import importlib
import io
from dataclasses import dataclass
from pathlib import Path

import pytest

from obsvae.experiments.command_line.program import run

ROOT = Path(__file__).parents[2]
SMALL = ["--latent", "2", "--hidden", "16", "--epochs", "2"]


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


def command(script, *arguments, cwd):
    """Run a command's main in this process, as its file does when it is called: starting Python takes seconds."""
    out, err = io.StringIO(), io.StringIO()
    main = importlib.import_module(f"obsvae.cli.{script}").main
    streams = contextlib.redirect_stdout(out), contextlib.redirect_stderr(err)
    with contextlib.chdir(cwd), streams[0], streams[1], pytest.raises(SystemExit) as left:
        run(main, [str(argument) for argument in arguments])
    return Done(left.value.code, out.getvalue(), err.getvalue())


def succeeds(script, *arguments, cwd):
    done = command(script, *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(script, *arguments, cwd):
    """Return the one line on standard error of a command that must leave with exit code 2."""
    done = command(script, *arguments, cwd=cwd)
    assert done.returncode == 2, done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def copy(trained, to):
    to.mkdir()
    for name in ("config.json", "weights.safetensors"):
        (to / name).write_bytes((trained / name).read_bytes())
    return to
