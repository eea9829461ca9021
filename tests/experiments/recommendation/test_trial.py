"""A trial: what it leaves, and what it does without when time runs out."""

import time

import numpy as np
import pandas as pd
import pytest

from obsvae.data import load
from obsvae.experiments.jobs.job import OUT_OF_TIME, read_result, run_job
from obsvae.experiments.recommendation.confirming.scores import collect
from obsvae.experiments.recommendation.confirming.trial import Trial, read_scores

NETWORKS = {"latent": 1, "hidden": [8], "architecture": "mlp", "guide": "normal", "prior": "standard-normal"}


@pytest.fixture(scope="module")
def table():
    z = np.random.default_rng(0).normal(size=2000)
    x = pd.DataFrame({"a": z, "b": np.exp(z)})
    x.loc[::7, "a"] = np.nan
    return load(x)


def trial(data, out, **more):
    families = {"": "normal"} if data.columns is None else {"a": "normal", "b": "log-normal"}
    said = {
        "called": "one",
        "families": families,
        "data": data,
        "networks": NETWORKS,
        "training": {"epochs": 2, "batch_size": 400, "seed": 3},
        "scored": tuple(families),
        "rows": {"validation": 150, "test": 150},
        "particles": 10,
        "device": "cpu",
        "out": out,
    }
    return Trial(**{**said, **more})


def test_all_rows_are_scored_in_time(table, tmp_path):
    one = trial(table, tmp_path / "t", end=time.time() + 1000)
    run_job(one)
    result = read_result(one.out)
    assert (result["status"], result["was_cut"]) == ("finished", False)
    for split in ("validation", "test"):
        scores = read_scores(one.out, split)
        missing = np.isnan(table.split(split)[:150].numpy())
        assert missing[:, 0].any()
        for d, name in enumerate("ab"):
            np.testing.assert_array_equal(np.isnan(scores[name]), missing[:, d])


def test_what_was_not_trained_in_time_tells_nothing(table, tmp_path):
    one = trial(table, tmp_path / "t", end=time.time() - 1)
    run_job(one)
    assert read_result(one.out) == {"status": OUT_OF_TIME}
    assert collect([one], "validation") == {}


def test_a_worker_ends_by_its_own_clock_and_computes_in_its_own_folder(table, tmp_path):
    one = trial(table, tmp_path / "t", end=1000.0)
    there = one.moved(tmp_path / "there", threads=3, later=50.0)
    assert (there.end, there.out, there.threads) == (1050.0, tmp_path / "there", 3)
    assert (one.end, one.out, one.threads) == (1000.0, tmp_path / "t", None)
    assert trial(table, tmp_path, threads=1).moved(tmp_path, 3, 50.0).threads == 1
    assert trial(table, tmp_path).moved(tmp_path, 3, 50.0).end is None


@pytest.mark.parametrize("kind", [pytest.param("table", marks=pytest.mark.slow), "array"])
def test_where_time_runs_out_while_scoring_some_rows_are_scored(kind, table, tmp_path, monkeypatch):
    data = table if kind == "table" else load(np.random.default_rng(0).normal(size=(2000, 3)).astype(np.float32))
    monkeypatch.setattr("obsvae.experiments.recommendation.confirming.trial._NUMBERS", 100)
    whole, cut = (trial(data, tmp_path / name, end=time.time() + 1000) for name in ("whole", "cut"))
    run_job(whole)
    monkeypatch.setattr(Trial, "_is_late", lambda self: True)
    run_job(cut)
    assert read_result(cut.out)["was_cut"]
    assert not read_result(whole.out)["was_cut"]
    for split in ("validation", "test"):
        some, every = read_scores(cut.out, split), read_scores(whole.out, split)
        for name, scores in some.items():
            assert len(scores) == len(every[name]) == 150
            # 50 rows were scored, one of each split in turn.
            np.testing.assert_allclose(scores[:25], every[name][:25], rtol=1e-5)
            assert np.isnan(scores[25:]).all()
            assert np.isfinite(every[name][25:]).any()
