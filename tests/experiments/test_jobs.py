"""Jobs one after another, and in processes of their own."""

import multiprocessing
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from obsvae.experiments.jobs.job import Job, done, read_result
from obsvae.experiments.jobs.run import run_jobs


@dataclass(frozen=True, eq=False)
class Noted(Job):
    """Writes down that it was done."""

    out: Path
    threads: int | None = None
    name = "noted"
    epochs = 3

    def work(self, callbacks):
        with (self.out.parent / "log").open("a") as log:
            log.write(f"{self.out.name} ")
        return {"status": "finished"}


class Inline:
    """A process that is none; one that is to do job 2 dies there."""

    sizes: list[int]
    deadly = None

    def __init__(self, target, args):
        self.target, (self.jobs, self.until) = target, args
        self.exitcode = 0

    def start(self):
        self.sizes.append(len(self.jobs))
        names = [job.out.name for job in self.jobs]
        survived = names.index(self.deadly) if self.deadly in names else len(names)
        self.target(self.jobs[:survived], self.until)
        if survived < len(names):
            self.jobs[survived].out.mkdir()
            self.exitcode = -9

    def join(self, timeout=None):
        pass


@pytest.fixture
def inline(monkeypatch):
    threads = torch.get_num_threads()
    kind = type("Kind", (Inline,), {"sizes": []})
    monkeypatch.setattr(multiprocessing, "get_context", lambda _: SimpleNamespace(Process=kind))
    yield kind
    torch.set_num_threads(threads)


def noted(folder, number):
    return [Noted(folder / str(i)) for i in range(number)]


def log(folder):
    return (folder / "log").read_text().split() if (folder / "log").exists() else []


def test_jobs_are_dealt_to_processes(tmp_path, inline):
    run_jobs(noted(tmp_path, 8), 2, progress=False, each=3)
    assert log(tmp_path) == ["0", "2", "4", "1", "3", "5", "6", "7"]
    assert inline.sizes == [3, 3, 1, 1]


def test_each_has_one_unless_more_are_asked_for(tmp_path, inline):
    run_jobs(noted(tmp_path, 3), 2, progress=False)
    assert log(tmp_path) == ["0", "1", "2"]
    assert inline.sizes == [1, 1, 1]


def test_one_that_dies_costs_its_own_job_and_the_others_are_done(tmp_path, inline):
    inline.deadly = "1"
    jobs = noted(tmp_path, 8)
    run_jobs(jobs, 1, progress=False, each=4)
    assert log(tmp_path) == [str(i) for i in range(8) if i != 1]
    assert "exit code -9" in read_result(jobs[1].out)["message"]
    assert not done(jobs[1].out)


def test_a_failure_of_before_is_tried_again(tmp_path, inline):
    jobs = noted(tmp_path, 1)
    jobs[0].out.mkdir()
    (jobs[0].out / "result.json").write_text('{"status": "failed"}')
    run_jobs(jobs, 1, progress=False)
    assert read_result(jobs[0].out) == {"status": "finished"}


@pytest.mark.parametrize("at_once", [None, 2])
def test_none_is_started_after_the_time(at_once, tmp_path, inline):
    jobs = noted(tmp_path, 2)
    run_jobs(jobs, at_once, progress=False, until=time.time() - 1)
    assert log(tmp_path) == []
    run_jobs(jobs, at_once, progress=False, until=time.time() + 60)
    assert log(tmp_path) == ["0", "1"]


def test_time_that_runs_out_within_a_process_is_no_death(tmp_path, inline, monkeypatch):
    now = SimpleNamespace(time=0.0)
    monkeypatch.setattr("time.time", lambda: now.time)
    monkeypatch.setattr(Noted, "work", lambda job, callbacks: setattr(now, "time", now.time + 20) or {"status": "done"})
    jobs = noted(tmp_path, 8)
    run_jobs(jobs, 1, progress=False, each=8, until=50)  # the third would end at 60
    assert [read_result(job.out) for job in jobs] == [*[{"status": "done"}] * 2, *[None] * 6]
