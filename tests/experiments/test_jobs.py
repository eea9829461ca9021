"""Jobs one after another, and dealt to workers."""

import json
import re
import time
from pathlib import Path
from pickle import PicklingError
from types import SimpleNamespace

import pytest
import torch

from obsvae.data import Dataset
from obsvae.errors import UsageError
from obsvae.experiments.comparison.candidate import Scoring, Trained
from obsvae.experiments.jobs.folder import opened
from obsvae.experiments.jobs.job import done, read_result
from obsvae.experiments.jobs.run import run_jobs
from obsvae.experiments.jobs.worker import pickled, unpack, unpickled
from obsvae.experiments.jobs.workers import workers_of
from obsvae.inference import Amortised
from tests.experiments.dealt import InlineWorkers, Noted, inline_workers


@pytest.fixture
def inline():
    with inline_workers() as kind:
        yield kind


def noted(folder, number):
    return [Noted(folder / str(i), folder / "log") for i in range(number)]


def run(jobs, at_once, **more):
    with workers_of(at_once, None) as workers:
        run_jobs(jobs, workers, progress=False, **more)


def log(folder):
    return (folder / "log").read_text().splitlines() if (folder / "log").exists() else []


@pytest.mark.parametrize("at_once", [None, 1, 3])
def test_all_are_done_once_and_in_order(at_once, tmp_path, inline):
    jobs = noted(tmp_path, 8)
    run(jobs, at_once)
    run(jobs, at_once)
    assert len(log(tmp_path)) == 8
    assert inline.sent == ([] if at_once is None else [str(i) for i in range(8)])
    assert all(read_result(job.out)["status"] == "finished" for job in jobs)


def test_a_worker_that_dies_costs_its_own_job_which_is_tried_once_more(tmp_path, inline, capsys):
    inline.deadly = ("1",)
    jobs = noted(tmp_path, 5)
    run(jobs, 1)
    assert inline.sent == ["0", "1", "1", "2", "3", "4"]
    assert len(log(tmp_path)) == 4
    assert capsys.readouterr().err == "1: its worker died; it is tried once more\n"
    result = read_result(jobs[1].out)
    assert "take fewer jobs, or less memory" in result["message"]
    assert not result["is_fault"]
    assert not done(jobs[1].out)
    inline.deadly = ()
    run(jobs, 1)
    assert inline.sent[6:] == ["1"]
    assert done(jobs[1].out)


@pytest.mark.parametrize(
    ("error", "is_fault"),
    [
        (OSError(28, "No space left on device", "/there/x"), False),
        (TimeoutError("its disk"), False),
        (ModuleNotFoundError("No module named 'x'"), False),
        (PicklingError("cannot pickle"), False),
        (ZeroDivisionError("division by zero"), True),
    ],
)
def test_what_goes_wrong_on_a_worker_is_a_failure_of_that_job_alone(error, is_fault, tmp_path, inline, capsys):
    inline.broken = {"1": error}
    jobs = noted(tmp_path, 4)
    run(jobs, 2)
    assert inline.sent == ["0", "1", "2", "3"]
    assert [read_result(job.out)["status"] for job in jobs] == ["finished", "failed", "finished", "finished"]
    result = read_result(jobs[1].out)
    before = "a fault of the program (" if is_fault else ""
    assert f"the worker worker-1 could not do it ({before}{type(error).__name__}: " in result["message"]
    assert result["is_fault"] == is_fault
    assert ("ZeroDivisionError" in capsys.readouterr().err) == is_fault
    assert (jobs[1].out / "traceback.txt").exists() == is_fault


def test_a_worker_that_takes_no_work_gets_none(tmp_path, inline):
    inline.unwilling = ("worker-0",)
    sent = InlineWorkers.send
    inline.send = lambda self, job, address: sent(self, job, address) if address == "worker-1" else pytest.fail(address)
    run(noted(tmp_path, 3), 2)
    assert len(log(tmp_path)) == 3


def test_no_worker_is_told_of_and_waited_for(tmp_path, inline, capsys, monkeypatch):
    looks = []
    inline.present = lambda self: looks.append(0) or ({"late": True} if len(looks) > 3 else {})
    monkeypatch.setattr("obsvae.experiments.jobs.deal._LONELY", 0.1)
    run(noted(tmp_path, 2), 1)
    assert len(log(tmp_path)) == 2
    assert capsys.readouterr().err == "there is no worker at this machine; waiting for one\n"


def test_workers_of_this_machine_that_never_come_back_are_an_end(tmp_path, inline, monkeypatch):
    inline.present = lambda self: {}
    monkeypatch.setattr("obsvae.experiments.jobs.deal._LOST", 0.4)
    with pytest.raises(UsageError, match="workers of this machine died, and none has come in their place"):
        run(noted(tmp_path, 2), 1)
    assert log(tmp_path) == []


@pytest.mark.parametrize(("number", "words"), [(1, "1 worker at"), (2, "2 workers at")])
def test_workers_none_of_which_takes_work_are_told_of_and_an_end(number, words, tmp_path, inline, capsys, monkeypatch):
    inline.unwilling = ("worker-0", "worker-1")
    monkeypatch.setattr("obsvae.experiments.jobs.deal._LONELY", 0.1)
    monkeypatch.setattr("obsvae.experiments.jobs.deal._LOST", 0.6)
    monkeypatch.setattr(InlineWorkers, "address", "tcp://x:1")
    none = f"{words} tcp://x:1, none of which takes work (paused for memory?)"
    with pytest.raises(UsageError, match=f"{re.escape(none)} for [0-9]+ s; what has ended is kept"):
        run(noted(tmp_path, 2), number)
    assert capsys.readouterr().err == f"{none}; waiting for one\n"
    assert log(tmp_path) == []


def test_the_threads_of_a_job_are_its_own(tmp_path):
    before = torch.get_num_threads()
    job = Noted(tmp_path / "job", tmp_path / "log", threads=before + 1)
    run_jobs([job], None, progress=False)
    assert read_result(job.out)["threads"] == before + 1
    assert torch.get_num_threads() == before


def test_a_failure_of_before_is_tried_again(tmp_path, inline):
    jobs = noted(tmp_path, 1)
    jobs[0].out.mkdir()
    (jobs[0].out / "result.json").write_text('{"status": "failed"}')
    run(jobs, 1)
    assert read_result(jobs[0].out)["status"] == "finished"


@pytest.mark.parametrize("at_once", [None, 2])
def test_none_is_started_after_the_time(at_once, tmp_path, inline):
    jobs = noted(tmp_path, 2)
    run(jobs, at_once, until=time.time() - 1)
    assert log(tmp_path) == []
    run(jobs, at_once, until=time.time() + 60)
    assert len(log(tmp_path)) == 2


@pytest.mark.parametrize("at_once", [None, 1])
def test_none_is_started_that_would_end_too_late(at_once, tmp_path, inline, monkeypatch):
    now = SimpleNamespace(time=0.0)
    monkeypatch.setattr("time.time", lambda: now.time)
    monkeypatch.setattr(Noted, "work", lambda job, callbacks: setattr(now, "time", now.time + 20) or {"status": "done"})
    jobs = noted(tmp_path, 8)
    run(jobs, at_once, until=50)  # the third would end at 60
    assert [read_result(job.out) for job in jobs] == [*[{"status": "done"}] * 2, *[None] * 6]


def test_datasets_travel_apart_and_recipes_are_loaded_before(tmp_path):
    scoring = Scoring(Amortised(), 20, None, 2**28, 0)
    job = Trained("normal", {"name": "digits"}, {}, {"seed": 0}, scoring, "cpu", tmp_path)
    content, (data,) = pickled(job.packed())
    assert len(content) < 10_000
    assert isinstance(data, Dataset)
    assert pickled(job.packed())[1][0] is data  # one for all jobs of the recipe
    again = unpickled(content, [data])
    assert again.data is data
    assert (again.observation, again.out) == ("normal", tmp_path)


def test_files_of_a_worker_stay_in_the_folder_of_the_job(tmp_path):
    unpack({"result.json": b"{}", "figures/one.png": b"png"}, tmp_path / "job")
    assert (tmp_path / "job/figures/one.png").read_bytes() == b"png"
    for name in ("../other", "/tmp/other", "a/../../other"):
        with pytest.raises(ValueError, match="outside of the job's folder"):
            unpack({name: b""}, tmp_path / "job")


def test_workers_are_either_started_here_or_a_schedulers():
    with pytest.raises(UsageError, match=r"jobs=2 starts workers here, and scheduler='tcp://x:1' .*; give one"):
        workers_of(2, "tcp://x:1")


class Full(Noted):
    """A job whose disk takes no more."""

    def work(self, callbacks):
        raise OSError(28, "No space left on device", str(self.out / "x"))


def test_a_full_disk_ends_all_and_leaves_no_result(tmp_path):
    jobs = [*noted(tmp_path, 1), Full(tmp_path / "full", tmp_path / "log"), *noted(tmp_path / "more", 1)]
    with pytest.raises(OSError, match="No space left"):
        run(jobs, None)
    assert [done(job.out) for job in jobs] == [True, False, False]
    assert read_result(jobs[1].out) is None


@pytest.mark.parametrize("content", ["", '{"status": ', "[]", "{}"])
def test_a_damaged_result_is_told(content, tmp_path):
    (tmp_path / "result.json").write_text(content)
    with pytest.raises(UsageError, match=r"result\.json is damaged .*; remove .*, and the same command does"):
        read_result(tmp_path)


def test_a_folder_goes_on_whose_settings_a_kill_has_cut(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(UsageError, match=r"holds no settings\.json"), opened(tmp_path / "out", {}):
        pass
    (tmp_path / "out/.settings-123.json").write_text("{")
    with opened(tmp_path / "out", {"a": 1}):
        assert json.loads((tmp_path / "out/settings.json").read_text()) == {"a": 1}


def test_a_folder_whose_settings_could_not_be_written_is_none(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(OSError, match="No space left"), opened(tmp_path / "out", {}):
            pass
    assert not (tmp_path / "out").exists()
    with opened(tmp_path / "out", {}):
        assert (tmp_path / "out/settings.json").exists()
