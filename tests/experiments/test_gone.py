"""Workers, schedulers and disks that go between two looks at them."""

import shutil
from types import SimpleNamespace

import pytest
from distributed import CancelledError, Client, LocalCluster
from distributed.client import ClosedClientError

from obsvae.errors import UsageError
from obsvae.experiments.comparison.candidate import Scoring, Trained
from obsvae.experiments.jobs.job import read_result
from obsvae.experiments.jobs.run import run_jobs
from obsvae.experiments.jobs.workers import Workers
from obsvae.inference import Amortised
from tests.experiments.dealt import Noted


@pytest.fixture
def scheduler():
    """Return a scheduler with a worker, both of this process."""
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with LocalCluster(protocol="tcp", host="127.0.0.1", scheduler_kwargs={"dashboard": False}, **options) as cluster:
        yield cluster


def trained(folder):
    scoring = Scoring(Amortised(), 20, None, 2**28, 0)
    return Trained("normal", {"name": "digits"}, {}, {"seed": 0}, scoring, "cpu", folder)


def test_a_worker_that_has_left_gets_no_job(tmp_path, scheduler):
    with Workers(None, scheduler.scheduler_address) as workers:
        assert list(workers.present().values()) == [True]
        assert workers.send(trained(tmp_path / "job"), "tcp://127.0.0.1:9") is None


@pytest.mark.parametrize("error", [KeyError("tcp://x:1"), CancelledError("x"), ClosedClientError("x"), OSError("x")])
def test_what_goes_while_a_job_is_sent_is_a_worker_that_has_gone(error, tmp_path):
    def fail(*_, **__):
        raise error

    workers = Workers(1, None)
    workers.client = SimpleNamespace(scheduler=object(), submit=fail)
    assert workers.send(Noted(tmp_path / "job", tmp_path / "log"), "tcp://x:1") is None


def folder_of(dask_worker):
    return dask_worker.local_directory


def test_a_disk_that_has_gone_is_a_failure_of_the_job_that_names_the_worker(tmp_path, scheduler):
    job = Noted(tmp_path / "job", tmp_path / "log", threads=1)
    with Workers(None, scheduler.scheduler_address) as workers:
        ((address, folder),) = workers.client.run(folder_of).items()
        shutil.rmtree(folder)
        run_jobs([job], workers, progress=False)
    result = read_result(job.out)
    assert result["status"] == "failed"
    assert result["message"].startswith(f"the worker {address} could not do it (FileNotFoundError: ")
    assert not result["is_fault"]
    assert not (tmp_path / "log").exists()


def test_a_client_that_has_closed_itself_is_a_scheduler_that_has_gone(tmp_path, scheduler):
    address = scheduler.scheduler_address
    with Workers(None, address) as workers:
        workers.client.close()
        assert isinstance(workers.client, Client)
        assert workers.send(Noted(tmp_path / "job", tmp_path / "log"), address) is None
        with pytest.raises(UsageError, match=f"the scheduler {address} does not answer any more .*the connection to"):
            workers.present()
