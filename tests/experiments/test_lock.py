"""One process at a time works in a folder."""

import subprocess
import sys

import pytest

from obsvae import compare, load, resume_run, train_run
from obsvae.errors import UsageError
from obsvae.experiments import evaluate_run
from obsvae.experiments.evaluation.evaluate import UNFINISHED
from obsvae.experiments.lock import FolderLock
from tests.scripts.commands import ROOT

BUSY = "another process is working in .*; wait until it has ended, or choose another folder"
HOLD = """
import sys, time
from pathlib import Path
from obsvae.experiments.lock import FolderLock
FolderLock(Path(sys.argv[1])).acquire()
kept = FolderLock(Path(sys.argv[1] + "/inner"))
kept.acquire()
print("held", flush=True)
time.sleep(600)
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such lock")


def test_a_folder_is_free_again_when_it_was_given_up(tmp_path):
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    with first:
        with pytest.raises(UsageError, match=BUSY):
            second.acquire()
        second.release()
        with pytest.raises(UsageError, match=BUSY):
            second.acquire()
    with second:
        pass
    assert not [*tmp_path.iterdir()]


def test_a_process_that_is_killed_leaves_no_lock(tmp_path):
    (tmp_path / "inner").mkdir()
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout.readline() == "held\n"
    # A lock that nobody refers to is given up.
    with FolderLock(tmp_path), pytest.raises(UsageError, match=BUSY):
        FolderLock(tmp_path / "inner").acquire()
    process.kill()
    process.wait()
    with FolderLock(tmp_path / "inner"):
        pass


@pytest.mark.slow
def test_commands_refuse_a_folder_in_which_another_works(tmp_path):
    data, options = load("digits"), {"latent": 1, "hidden": [4], "epochs": 1, "progress": False}
    run = train_run("normal", data, tmp_path / "run", **options)
    before = {file.name: file.read_bytes() for file in run.folder.iterdir() if file.is_file()}
    with FolderLock(run.folder), pytest.raises(UsageError, match=BUSY):
        resume_run(run.folder, epochs=2, progress=False)
    assert before == {file.name: file.read_bytes() for file in run.folder.iterdir() if file.is_file()}
    assert len(resume_run(run.folder, epochs=2, progress=False).history) == 2
    (run.folder / UNFINISHED).mkdir()
    with FolderLock(run.folder / UNFINISHED), pytest.raises(UsageError, match=BUSY):
        evaluate_run(run.folder, progress=False)
    assert not (run.folder / "metrics.json").exists()
    (tmp_path / "compared").mkdir()
    with FolderLock(tmp_path / "compared"), pytest.raises(UsageError, match=BUSY):
        compare(["normal"], data, out=tmp_path / "compared", jobs=None, **options)
    assert not [*(tmp_path / "compared").iterdir()]
