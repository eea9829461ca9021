"""A run that was interrupted or killed goes on as if it had never ended."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments import load_run, resume_run, train_run
from obsvae.experiments.benchmarks.survival.same import differences
from obsvae.experiments.runs.state_file import load_state
from obsvae.inference import Callback
from tests.scripts.commands import ROOT, refused, succeeds
from tests.tables import mixed

TRAINED = {"latent": 2, "hidden": (8,), "batch_size": 100, "compiled": False, "progress": False}


class Interrupt(Callback):
    """Presses Ctrl-C after an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch(self, history):
        if len(history) == self.epoch:
            raise KeyboardInterrupt


def files(folder):
    """Return the files of a run that tell how it was trained, without seconds."""
    history = (folder / "history.csv").read_text().splitlines()
    found = {
        "weights": (folder / "weights.safetensors").read_bytes(),
        "history": [row.rpartition(",")[0] for row in history],
    }
    found["config"] = json.loads((folder / "config.json").read_text())
    if (shares := folder / "history_by_column.csv").is_file():
        found["shares"] = shares.read_text()
    return found


@pytest.fixture(scope="module")
def table():
    return mixed(100)


@pytest.mark.slow
def test_an_interrupted_run_on_a_table_goes_on(table, tmp_path):
    options = TRAINED | {"epochs": 5}
    whole = train_run("by-column", table, tmp_path / "whole", **options)
    interrupted = train_run("by-column", table, tmp_path / "part", **options, callbacks=[Interrupt(3)])
    assert interrupted.history.stopped == "interrupted"
    assert len(load_state(interrupted.folder).history) == 3
    told = []

    class Tell(Callback):
        def on_epoch(self, history):
            told.append(len(history))

    again = resume_run(interrupted.folder, data=table, callbacks=[Tell()], progress=False)
    assert files(again.folder) == files(whole.folder)
    assert told[-1] == 5
    assert again.history.stopped == "finished"
    assert load_run(again.folder).config["outcome"]["epochs"] == 5


@pytest.mark.slow
def test_more_epochs_are_those_of_a_run_that_had_them(tmp_path):
    line = ["--data", "digits", "--observation", "bernoulli", "--binarise", "dynamic", "--latent", "2", "--hidden", "8"]
    succeeds("train", *line, "--epochs", "4", "--out", "whole", cwd=tmp_path)
    succeeds("train", *line, "--epochs", "2", "--out", "part", cwd=tmp_path)
    out = succeeds("train", "--resume", "part", "--epochs", "4", cwd=tmp_path)
    assert "finished after 4 epochs" in out
    assert files(tmp_path / "part") == files(tmp_path / "whole")
    wrong = refused("train", "--resume", "part", cwd=tmp_path)
    assert "resume holds 4 epochs, which are all that were asked for; ask for more, such as --epochs 8" in wrong
    wrong = refused("train", "--resume", "part", "--lr", "0.001", "--data", "digits", "--epochs", "9", cwd=tmp_path)
    assert wrong.endswith("alone may be others; leave out --data, --lr")
    assert "train one with" in refused("train", "--resume", "nowhere", cwd=tmp_path)
    assert files(tmp_path / "part") == files(tmp_path / "whole")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train_run("normal", load("digits"), tmp_path_factory.mktemp("runs") / "run", **TRAINED, epochs=1).folder


@pytest.fixture
def changed(trained, tmp_path):
    """Return a copy of the run whose configuration says something else."""

    def change(**values):
        folder = tmp_path / "changed"
        shutil.copytree(trained, folder)
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | values))
        return folder

    return change


def test_a_state_that_is_gone_or_damaged_is_told_and_nothing_is_lost(changed):
    folder = changed()
    before, state = files(folder), folder / "state.safetensors"
    whole = state.read_bytes()
    for content, words in (
        (None, r"there is no .*state\.safetensors: no epoch of this run was finished"),
        (whole[: len(whole) // 2], r"state\.safetensors cannot be read .* damaged"),
        (b"", r"state\.safetensors cannot be read .* damaged"),
        ((folder / "weights.safetensors").read_bytes(), r"state\.safetensors is of format None, but 1 is needed"),
        (whole.replace(b'"objective":"ELBO"', b'"objectivo":"ELBO"'), r"lacks or misstates something .*objective"),
        (whole.replace(b"epoch,step", b"epoch,stop"), "lacks or misstates something .*epochs of a training run"),
    ):
        state.unlink(missing_ok=True)
        if content is not None:
            state.write_bytes(content)
        with pytest.raises(UsageError, match=words):
            resume_run(folder, epochs=3, progress=False)
        assert files(folder) == before
    state.write_bytes(whole)
    assert len(resume_run(folder, epochs=2, progress=False).history) == 2


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"outcome": {"stopped": "diverged at step 12", "objective": "ELBO"}}, "diverged at step 12, and would again"),
        ({"format": 1}, "was written in format 1, but format .* is needed; train it again"),
        ({"hidden": [9]}, "holds the weights of another model"),
    ],
)
def test_what_cannot_go_on_is_told_and_nothing_is_written(values, words, changed):
    folder = changed(**values)
    before = files(folder)
    with pytest.raises(UsageError, match=words):
        resume_run(folder, epochs=9, progress=False)
    assert files(folder) == before


@pytest.mark.parametrize("lost", ["outcome", "figures"])
def test_what_a_kill_after_the_last_epoch_has_left_out_is_made_up_for(lost, changed, trained):
    unfinished = {"stopped": "unfinished", "epochs": None, "best_epoch": None, "objective": None}
    folder = changed(**({"outcome": unfinished} if lost == "outcome" else {}))
    if lost == "figures":
        (folder / "figures/reproductions.png").unlink()
    run = resume_run(folder, progress=False)
    assert (run.history.stopped, len(run.history)) == ("finished", 1)
    assert differences(trained, folder) == []
    with pytest.raises(UsageError, match="ask for more"):  # now there is nothing left to do
        resume_run(folder, progress=False)


def test_a_part_of_a_comparison_is_not_trained_for_longer(changed):
    folder = changed()
    (folder / "result.json").write_text("{}")
    with pytest.raises(UsageError, match="is a part of a comparison"):
        resume_run(folder, epochs=9, progress=False)


def test_what_evaluation_has_left_is_told_to_be_of_before(changed):
    folder = changed()
    (folder / "metrics.json").write_text("{}")
    with pytest.warns(UserWarning, match=r"metrics\.json tell of the weights before; evaluate the run again"):
        resume_run(folder, epochs=2, progress=False)


@pytest.mark.slow
def test_shares_that_lack_epochs_are_told(table, tmp_path):
    run = train_run("by-column", table, tmp_path / "run", **TRAINED, epochs=2)
    shares = run.folder / "history_by_column.csv"
    lines = shares.read_text().splitlines(keepends=True)
    shares.write_text("".join(lines[:-1]))
    with pytest.raises(UsageError, match="and 2 epochs, but holds 1 epochs"):
        resume_run(run.folder, data=table, epochs=3, progress=False)


def test_a_folder_is_free_again_where_training_failed(tmp_path):
    class Fail(Callback):
        def on_epoch(self, history):
            raise ZeroDivisionError

    folder = tmp_path / "run"
    with pytest.raises(ZeroDivisionError):
        train_run("normal", load("digits"), folder, **TRAINED, epochs=2, callbacks=[Fail()])
    again = resume_run(folder, progress=False)
    assert len(again.history) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_run_that_is_ended_from_outside_goes_on(number, code, tmp_path):
    line = ["--data", "digits", "--observation", "normal", "--latent", "2", "--hidden", "16", "--compiled", "no"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    def start(*arguments):
        command = [sys.executable, "-m", "obsvae.cli.train", *arguments]
        return subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)

    assert start(*line, "--epochs", "300", "--out", "whole").wait() == 0
    process, limit = start(*line, "--epochs", "300", "--out", "part"), time.monotonic() + 120
    while not (tmp_path / "part/state.safetensors").is_file():
        assert time.monotonic() < limit
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(number)
    _, said = process.communicate()
    assert process.returncode == code, said
    ended = json.loads((tmp_path / "part/config.json").read_text())["outcome"]["stopped"]
    if number != signal.SIGKILL:
        assert {143: "terminated", 130: "interrupted"}[code] in said
        assert ended == "interrupted"
    assert len((tmp_path / "part/history.csv").read_text().splitlines()) < 300
    process = start("--resume", "part")
    _, said = process.communicate()
    assert process.returncode == 0, said
    assert files(tmp_path / "part") == files(tmp_path / "whole")
