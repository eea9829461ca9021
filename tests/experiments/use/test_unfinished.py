"""Evaluations, scorings and imputations go on where they were interrupted or killed, to the same bytes."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

from obsvae.experiments.benchmarks.survival.same import differences
from obsvae.experiments.pieces import kept
from obsvae.inference.entries import particles
from obsvae.inference.likelihood import estimate
from tests.experiments.use.conftest import people, write
from tests.scripts.commands import ROOT, command, succeeds

COMMANDS = {
    "evaluate": "evaluate run --particles 40 --limit 12 --check 6",
    "score": "score run few.csv --particles 40 --reference 8 --out scores.csv",
    "impute": "impute run few.csv --particles 40 --draws 3 --out filled.csv",
}
# Saves each piece, and ends itself once some are saved.
KILLED = """
import os, signal, sys
from obsvae.experiments.pieces import kept
from obsvae.inference.entries import particles
from obsvae.inference.likelihood import estimate
particles._MOST_AT_ONCE = estimate._MOST = 8
kept.EVERY, save, saved = 0.0, kept.KeptPieces.save, []
def killed(pieces):
    save(pieces)
    saved.append(1)
    if len(saved) == {at}:
        os.kill(os.getpid(), signal.SIGKILL)
kept.KeptPieces.save = killed
from obsvae.cli.main import main
main(sys.argv[1:])
"""


@pytest.fixture
def places(run, tmp_path, monkeypatch):
    """Return two folders with the same run and rows, of which 8 are computed at a time."""
    monkeypatch.setattr(particles, "_MOST_AT_ONCE", 8)
    monkeypatch.setattr(estimate, "_MOST", 8)
    found = []
    for name in ("whole", "cut"):
        place = tmp_path / name
        shutil.copytree(run.folder, place / "run", ignore=shutil.ignore_patterns("figures"))
        write(place / "few.csv", people(20, seed=1, missing=0.4))
        found.append(place)
    return found


@pytest.mark.parametrize("name", [pytest.param("evaluate", marks=pytest.mark.slow), "score", "impute"])
def test_interrupted_work_goes_on_to_the_same_bytes(name, places, monkeypatch):
    line, (whole, cut) = COMMANDS[name].split(), places
    succeeds(*line, cwd=whole)
    assert not [*whole.rglob("*.unfinished")]
    monkeypatch.setattr(kept, "EVERY", 0.0)
    save, saves = kept.KeptPieces.save, []

    def interrupted(pieces):
        save(pieces)
        saves.append(1)
        if len(saves) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(kept.KeptPieces, "save", interrupted)
    assert command(*line, cwd=cut).returncode == 130
    assert len([*cut.rglob("*.unfinished/*/*.safetensors")]) >= 2
    monkeypatch.setattr(kept, "EVERY", 30.0)
    done = command(*line, cwd=cut)
    assert done.returncode == 0, done.stderr
    assert "goes on: " in done.stderr
    assert differences(whole, cut) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_killed_work_goes_on_to_the_same_bytes(name, places):
    line, (whole, cut) = COMMANDS[name].split(), places
    succeeds(*line, cwd=whole)
    for at in (1, 2):
        started = [sys.executable, "-c", KILLED.format(at=at), *line]
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(started, cwd=cut, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr
    assert command(*line, cwd=cut).returncode == 0
    assert differences(whole, cut) == []
