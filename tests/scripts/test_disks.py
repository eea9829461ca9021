"""Disks that are full or cannot be written to: a line, exit code 2, nothing lost, and later the command goes on."""

import contextlib
import os
import shutil
import subprocess

import pytest

from obsvae.experiments.benchmarks.survival.same import differences
from obsvae.experiments.benchmarks.survival.works import prepare
from tests.scripts.commands import command, succeeds

pytestmark = pytest.mark.slow

SMALL = "--latent 1 --hidden 8 --epochs 2"
LINES = {
    "train": "train --resume run --epochs 5",
    "evaluate": "evaluate run --particles 20 --check 5 --limit 10",
    "score": "score run table.csv --particles 20 --reference 5 --out scores.csv",
    "impute": "impute run table.csv --particles 20 --out filled.csv",
    "compare": f"compare --data x.npy --observations normal laplace --seeds 1 --particles 20 {SMALL} --out compared",
    "recommend": f"recommend x.npy --minutes 60 --seeds 1 --jobs 0 --particles 20 {SMALL} --out recommended",
}


@pytest.fixture(scope="module")
def needs(tmp_path_factory):
    """Return a folder with a table, an array and a run on the table."""
    import numpy as np

    folder = tmp_path_factory.mktemp("needs")
    prepare(folder)
    np.save(folder / "x.npy", np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32))
    succeeds("train", "--data", "table.csv", "--compiled", "no", *SMALL.split(), "--out", "run", cwd=folder)
    return folder


@pytest.fixture
def disk(tmp_path, needs):
    """Return a disk of 4 MB of its own, with what the commands need."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("to mount a small disk takes root")
    mounted = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place]
    done = subprocess.run(mounted, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    try:
        shutil.copytree(needs, place, dirs_exist_ok=True)
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def fill(disk, left):
    """Fill a disk but for some bytes, and return the file that does."""
    filler = disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    os.truncate(filler, max(0, filler.stat().st_size - left))
    return filler


def files_of(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "filler"}


def says_one_line(done):
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if "error: " in line]
    assert len(errors) == 1, done.stderr
    return errors[0]


@pytest.mark.parametrize("name", LINES)
def test_a_full_disk_ends_a_command_in_a_line_and_it_goes_on(name, disk, needs, tmp_path):
    line, whole = LINES[name].split(), tmp_path / "whole"
    shutil.copytree(needs, whole)
    succeeds(*line, cwd=whole)
    before = files_of(disk)
    for left in (0, 8192, 40960):
        filler = fill(disk, left)
        done = command(*line, cwd=disk)
        if left == 0 or done.returncode != 0:  # a small result may have found its place
            assert "No space left" in says_one_line(done)
        filler.unlink()
        after = files_of(disk)
        if name == "train":  # whose files are newer, or as they were, and figures of the weights before may be gone
            assert {path for path in before if path.suffix != ".png"} <= set(after)
        else:
            assert {path: after[path] for path in before} == before
    done = command(*line, cwd=disk)
    assert done.returncode == 0, done.stderr
    assert differences(whole, disk) == []


@pytest.mark.parametrize("name", LINES)
def test_a_disk_that_is_read_only_is_told_in_a_line(name, disk):
    line = LINES[name].split()
    before = files_of(disk)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    assert "Read-only" in says_one_line(command(*line, cwd=disk))
    assert files_of(disk) == before
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    done = command(*line, cwd=disk)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["compare", "recommend"])
def test_a_damaged_result_of_a_part_is_told_in_a_line(name, disk):
    line = LINES[name].split()
    succeeds(*line, cwd=disk)
    (file, *_) = sorted((disk / line[-1]).rglob("result.json"))
    file.write_text('{"status": "fin')
    assert "is damaged" in says_one_line(command(*line, cwd=disk))
    shutil.rmtree(file.parent)
    succeeds(*line, cwd=disk)
