"""Evaluations, scorings and imputations go on where they were interrupted or killed, to the same bytes."""

import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from obsvae.data import load
from obsvae.experiments import train_run
from obsvae.experiments.benchmarks.survival.same import differences
from obsvae.experiments.pieces import kept
from obsvae.inference.entries import particles
from obsvae.inference.likelihood import estimate
from tests.experiments.use.conftest import HEADER, people, write
from tests.scripts.commands import ROOT, command, succeeds

COMMANDS = {
    "evaluate": "evaluate run --particles 40 --limit 12 --check 6",
    "score": "score run few.csv --particles 40 --reference 8 --out scores.csv",
    "impute": "impute run few.csv --particles 40 --draws 3 --out filled.csv",
}
# Saves each piece, and ends itself at the first that is saved.
KILLED = """
import os, signal, sys
from obsvae.experiments.pieces import kept
from obsvae.inference.entries import particles
from obsvae.inference.likelihood import estimate
particles._MOST_AT_ONCE = estimate._MOST = 8
kept.EVERY, save = 0.0, kept.KeptPieces.save
def killed(pieces):
    save(pieces)
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
    return [placed(run, tmp_path / name, people(20, seed=1, missing=0.4)) for name in ("whole", "cut")]


def placed(run, place, rows, header=HEADER):
    """Return a folder with a copy of a run, and rows."""
    shutil.copytree(run.folder, place / "run", ignore=shutil.ignore_patterns("figures"))
    write(place / "few.csv", rows, header)
    return place


@pytest.mark.parametrize("name", [pytest.param("evaluate", marks=pytest.mark.slow), "score", "impute"])
def test_interrupted_work_goes_on_to_the_same_bytes(name, places, monkeypatch):
    line, (whole, cut) = COMMANDS[name].split(), places
    succeeds(*line, cwd=whole)
    assert not [*whole.rglob("*.unfinished")]
    interrupt(line, cut, monkeypatch)
    done = command(*line, cwd=cut)
    assert done.returncode == 0, done.stderr
    assert "goes on: " in done.stderr
    assert differences(whole, cut) == []


def interrupt(line, place, monkeypatch):
    """Interrupt a command once it has saved pieces twice."""
    monkeypatch.setattr(kept, "EVERY", 0.0)
    save, saves = kept.KeptPieces.save, []

    def interrupted(pieces):
        save(pieces)
        saves.append(1)
        if len(saves) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(kept.KeptPieces, "save", interrupted)
    assert command(*line, cwd=place).returncode == 130
    assert len([*place.rglob("*.unfinished/*/*.safetensors")]) >= 2
    monkeypatch.setattr(kept, "EVERY", 30.0)
    monkeypatch.setattr(kept.KeptPieces, "save", save)


@pytest.fixture
def with_conditions(tmp_path, monkeypatch):
    """Return folders with a run whose lengths depend on the site, and rows without sites, of which 8 go at a time."""
    monkeypatch.setattr(particles, "_MOST_AT_ONCE", 8)
    monkeypatch.setattr(estimate, "_MOST", 8)
    rng = np.random.default_rng(0)
    z, is_south = rng.normal(size=(60, 1)), rng.random(60) < 0.5
    numbers = z + [0.3, 0.5] * rng.normal(size=(60, 2)) + np.stack([3.0 * is_south, 0.0 * is_south], 1)
    cells = [["" if rng.random() < 0.4 else f"{value:.3f}" for value in row] for row in numbers]
    sites = np.where(is_south, "south", "north")
    rows = [[*row, site] for row, site in zip(cells, sites, strict=True)]
    header = ["length", "width", "site"]
    data = load(write(tmp_path / "table.csv", rows, header), conditions=["site"])
    how = {"latent": 1, "hidden": [8], "epochs": 10, "batch_size": 20, "lr": 1e-2, "compiled": False}
    run = train_run("by-column", data, tmp_path / "run", **how, progress=False)
    return {name: placed(run, tmp_path / name, cells[:20], header[:2]) for name in ("south", "north", "cut")}


@pytest.mark.parametrize("name", ["score", "impute"])
def test_pieces_are_of_their_conditions(name, with_conditions, monkeypatch):
    lines = {site: [*COMMANDS[name].split(), "--given", f"site={site}"] for site in ("south", "north")}
    for site, line in lines.items():
        succeeds(*line, cwd=with_conditions[site])
    assert differences(with_conditions["south"], with_conditions["north"])
    cut = with_conditions["cut"]
    interrupt(lines["south"], cut, monkeypatch)
    for site, told in {"north": "not used: ", "south": "goes on: "}.items():
        done = command(*lines[site], cwd=cut)
        assert done.returncode == 0, done.stderr
        assert told in done.stderr
        assert ("other conditions of the new rows" in done.stderr) == (site == "north")
        (left,) = [*cut.glob("*.unfinished")] or [None]
        assert (left is None) == (site == "south")
        out = lines[site][lines[site].index("--out") + 1]
        assert (cut / out).read_bytes() == (with_conditions[site] / out).read_bytes()
    assert differences(with_conditions["south"], cut) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_killed_work_goes_on_to_the_same_bytes(name, places):
    line, (whole, cut) = COMMANDS[name].split(), places
    succeeds(*line, cwd=whole)
    started = [sys.executable, "-c", KILLED, *line]
    for _ in range(2):
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(started, cwd=cut, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr
    assert command(*line, cwd=cut).returncode == 0
    assert differences(whole, cut) == []
