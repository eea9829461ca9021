"""Commands under torchrun: one folder, one voice, and one end for all."""

import csv
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.scripts.commands import ROOT, succeeds

pytestmark = pytest.mark.slow

TRAIN = ["train", "--data", "x.csv", "--observation", "by-column", "--latent", "2", "--hidden", "8", "--compiled", "no"]


# Saves each piece of 8 rows; the second process kills itself once it has saved two.
PIECES = """
import os, signal
from obsvae.experiments.pieces import kept
from obsvae.inference.entries import particles
particles._MOST_AT_ONCE, kept.EVERY, save, saved = 8, 0.0, kept.KeptPieces.save, []
def killed(pieces):
    save(pieces)
    saved.append(1)
    if os.environ.get("KILLED") == os.environ["RANK"] and len(saved) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
kept.KeptPieces.save = killed
from obsvae.cli.main import main
main()
"""


@pytest.fixture
def start(group):
    """Return a way to start a command under torchrun."""

    def start(*arguments, cwd, size=2, program=ROOT / "scripts/main.py", **environment):
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(size)]
        return group(
            [*torchrun, str(program), *map(str, arguments)],
            cwd=cwd,
            env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def ends(started):
    """Return exit code, standard output, and the lines on standard error that are of the command."""
    out, err = started.communicate(timeout=300)
    print(err)  # which pytest shows of a test that fails
    return started.returncode, out, [line for line in err.splitlines() if line.startswith(("obsvae", "warning"))]


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    with (tmp_path / "x.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b"])
        writer.writerows([f"{a:.3f}", "" if abs(a) > 1.5 else f"{2 * a + b:.3f}"] for a, b in rng.normal(size=(150, 2)))
    return tmp_path


def test_a_run_and_its_scores_are_those_of_one_process(folder, start):
    code, out, told = ends(start(*TRAIN, "--epochs", 3, "--out", "two", cwd=folder))
    assert code == 0, told
    assert out.count("written to two") == 1
    succeeds("train", *TRAIN[1:], "--epochs", "3", "--out", "one", cwd=folder)
    one, two = (load_file(folder / name / "weights.safetensors") for name in ("one", "two"))
    for name, value in one.items():
        np.testing.assert_allclose(two[name], value, rtol=1e-4, atol=1e-5, err_msg=name)

    estimates = ["--particles", "50", "--reference", "20"]
    code, out, told = ends(start("score", "one", "x.csv", *estimates, "--out", "two.csv", cwd=folder))
    assert code == 0, told
    assert out.count("written to two.csv") == 1
    succeeds("score", "one", "x.csv", *estimates, "--out", "one.csv", cwd=folder)
    scores = [np.genfromtxt(folder / name, delimiter=",", skip_header=1)[:, :3] for name in ("one.csv", "two.csv")]
    np.testing.assert_allclose(scores[1], scores[0], rtol=1e-3, atol=1e-3)


def test_scores_of_killed_processes_go_on(folder, start):
    succeeds("train", *TRAIN[1:], "--epochs", "2", "--out", "run", cwd=folder)
    (folder / "pieces.py").write_text(PIECES)
    line = ["score", "run", "x.csv", "--particles", "30", "--reference", "10", "--out"]
    assert ends(start(*line, "whole.csv", cwd=folder, program="pieces.py"))[0] == 0
    assert ends(start(*line, "cut.csv", cwd=folder, program="pieces.py", KILLED="1"))[0] == 1
    assert len([*folder.glob("cut.csv.unfinished/*")]) == 2
    code, _, told = ends(start(*line, "cut.csv", cwd=folder, program="pieces.py"))
    assert code == 0, told
    assert (folder / "cut.csv").read_bytes() == (folder / "whole.csv").read_bytes()
    assert not (folder / "cut.csv.unfinished").exists()


def test_a_mistake_takes_one_line(folder, start):
    code, _, told = ends(start("compare", "--data", "x.csv", cwd=folder))
    assert code == 1
    assert told == ["obsvae compare: error: one process is needed, but there are 2; run this command without torchrun"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_end_of_one_is_that_of_all(number, folder, start):
    started = start(*TRAIN, "--epochs", 100_000, "--out", "run", cwd=folder)
    state = folder / "run/state.safetensors"
    until = time.monotonic() + 200
    while not state.exists() and time.monotonic() < until:
        time.sleep(0.1)
    assert state.exists()
    children = subprocess.run(["pgrep", "-P", str(started.pid)], capture_output=True, text=True, check=True).stdout
    os.kill(int(children.split()[-1]), number)
    code, out, told = ends(started)
    assert code == 1
    assert len([line for line in told if line.startswith("obsvae")]) == 1
    if number == signal.SIGKILL:
        assert "another process has ended" in told[-1]
    else:
        assert "obsvae train --resume run goes on" in out
