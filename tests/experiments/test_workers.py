"""Workers of Dask, real ones: what they do, and what their deaths cost."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from obsvae.errors import UsageError
from obsvae.experiments import compare
from obsvae.experiments.comparison.candidate import Scoring, Trained
from obsvae.experiments.jobs import scheduler
from obsvae.experiments.jobs.job import read_result
from obsvae.experiments.jobs.run import run_jobs
from obsvae.experiments.jobs.workers import workers_of
from obsvae.inference import Amortised
from tests.experiments.dealt import Deadly, Noted

ROOT = Path(__file__).parents[2]
WAIT = 120.0  # s; a machine that is busy takes tens of them to start a worker
NETWORKS = {"latent": 2, "hidden": (8,), "architecture": "mlp"}


@contextlib.contextmanager
def started(*line, packages):
    """Start a program of Dask, which finds packages in a folder first, and end it."""
    environment = {**os.environ, "PYTHONPATH": f"{packages}{os.pathsep}{ROOT}"}
    line = [sys.executable, "-m", *line]
    with subprocess.Popen(line, env=environment, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def cluster(tmp_path):
    """Start a scheduler and two workers, whose files lie in folders of their own; yield its address and the workers."""
    file, packages = tmp_path / "scheduler.json", tmp_path / "packages"
    host = ["--host", "127.0.0.1", "--no-dashboard"]
    with contextlib.ExitStack() as stack:
        common = [*host, "--scheduler-file", str(file)]
        stack.enter_context(started("distributed.cli.dask_scheduler", *common, "--port", "0", packages=packages))
        workers = {}
        for folder in (tmp_path / "a", tmp_path / "b"):
            line = [*common, "--no-nanny", "--nthreads", "1", "--local-directory", str(folder)]
            workers[folder] = stack.enter_context(started("distributed.cli.dask_worker", *line, packages=packages))
        until = time.monotonic() + WAIT
        while not file.exists():
            assert time.monotonic() < until
            time.sleep(0.1)
        yield json.loads(file.read_text())["address"], workers


def trained(folder, data, seeds, epochs=2):
    training = {"epochs": epochs, "batch_size": 20, "lr": 1e-3}
    scoring = Scoring(Amortised(), 20, None, 2**28, 0)
    return [
        Trained("normal", data, NETWORKS, {**training, "seed": seed}, scoring, "cpu", folder / str(seed), threads=1)
        for seed in range(seeds)
    ]


@pytest.mark.slow
def test_local_workers_find_what_this_process_finds_and_a_death_costs_one_job_two_tries(tmp_path, counts, capsys):
    deadly = [Deadly(tmp_path / f"deadly-{times}", tmp_path / f"log-{times}", times) for times in (1, 9)]
    jobs = [*trained(tmp_path / "there", counts, 2), *deadly, Noted(tmp_path / "last", tmp_path / "log")]
    with workers_of(2, None) as workers:
        run_jobs(jobs, workers, progress=False)
        assert workers.number == 2
        assert max(workers.epochs.values()) >= 1  # by which the bar moves
    here = trained(tmp_path / "here", counts, 2)
    run_jobs(here, None, progress=False)
    for one, other in zip(here, jobs[:2], strict=True):
        for name in ("scores.csv", "weights.safetensors"):
            assert (one.out / name).read_bytes() == (other.out / name).read_bytes()
        assert sorted(p.name for p in one.out.rglob("*")) == sorted(p.name for p in other.out.rglob("*"))
    assert read_result(deadly[0].out) == {"status": "finished", "tried": 1}
    assert "so did the one on which it was tried once more" in read_result(deadly[1].out)["message"]
    assert (tmp_path / "log-9").read_text() == "xx"
    assert read_result(jobs[-1].out)["status"] == "finished"
    assert capsys.readouterr().err == "deadly: its worker died; it is tried once more\n" * 2


def is_profiled(dask_worker):
    return dask_worker.periodic_callbacks["profile"].is_running()


@pytest.mark.slow
def test_a_job_ends_the_profiler_of_its_worker(tmp_path, cluster):
    address, folders = cluster
    with workers_of(None, address) as workers:
        until = time.monotonic() + WAIT
        while workers.number < len(folders):
            assert time.monotonic() < until
            time.sleep(0.1)
        assert all(workers.client.run(is_profiled).values())
        (first, *_) = workers.present()
        future = workers.send(Noted(tmp_path / "job", tmp_path / "log"), first)
        assert "result.json" in future.result(timeout=WAIT)
        assert not workers.client.run(is_profiled, workers=[first])[first]


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_no_result(tmp_path, counts, cluster, capsys):
    address, workers = cluster
    jobs = trained(tmp_path / "jobs", counts, 4, epochs=200)
    killed = []

    def kill_one_at_work():
        until = time.monotonic() + WAIT
        while not (at_work := [folder for folder in workers if list(folder.rglob("job/history.csv"))]):
            if time.monotonic() > until:
                return
            time.sleep(0.02)
        workers[at_work[0]].kill()
        killed.extend(at_work[0].rglob("job/history.csv"))

    with workers_of(None, address) as found:
        killer = threading.Thread(target=kill_one_at_work, daemon=True)
        killer.start()
        run_jobs(jobs, found, progress=False)
        killer.join(timeout=1)
        assert found.number == 1
    assert len(killed) == 1  # in the middle of a job, whose files are still there
    assert [read_result(job.out)["status"] for job in jobs] == ["finished"] * 4
    assert all((job.out / "scores.csv").is_file() for job in jobs)
    assert "its worker died; it is tried once more" in capsys.readouterr().err


@pytest.mark.slow
def test_workers_with_other_versions_are_refused(tmp_path, counts, cluster):
    address, _ = cluster
    about = tmp_path / "packages/obsvae-9.9.9.dist-info/METADATA"
    about.parent.mkdir(parents=True)
    about.write_text("Metadata-Version: 2.1\nName: obsvae\nVersion: 9.9.9\n")
    words = r"the worker tcp://\S+ has obsvae 9\.9\.9, but this process has \S+; install obsvae"
    with pytest.raises(UsageError, match=words):
        compare(["normal"], counts, scheduler=address, out=tmp_path / "cmp", epochs=1)


@pytest.mark.parametrize("address", ["nonsense", "tcp://127.0.0.1:9", "foo://127.0.0.1:9"])
def test_an_address_without_a_scheduler_is_refused_before_anything_is_written(address, tmp_path, counts, monkeypatch):
    monkeypatch.setattr(scheduler, "ANSWER", 0.5)
    with pytest.raises(UsageError, match=r"no Dask scheduler answers at '.*'.*\(.+\); give the address"):
        compare(["normal"], counts, scheduler=address, out=tmp_path / "cmp", epochs=1)
    assert not (tmp_path / "cmp").exists()
