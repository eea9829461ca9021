"""Comparisons and the warp study, small, end to end."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from obsvae.errors import UsageError
from obsvae.experiments.warp_results import DECODERS
from obsvae.experiments.warp_study import warp_study as study
from tests.experiments.dealt import inline_workers
from tests.scripts.commands import ROOT, refused, succeeds

SMALL = ["--latent", "2", "--hidden", "16", "--epochs", "2", "--particles", "40", "--limit", "20"]
CANDIDATES = ["bernoulli", "normal", "discretised:inner=logistic,scale=decoder"]


def compare(*arguments, cwd, candidates=CANDIDATES):
    line = ["--data", "digits", "--observations", *candidates, *SMALL, *arguments, "--out", "cmp"]
    return succeeds("compare", *line, cwd=cwd)


def table(folder):
    with (folder / "table.csv").open(encoding="utf-8") as file:
        return {row["observation"]: row for row in csv.DictReader(file)}


@pytest.fixture
def inline():
    """Put workers that are none in the place of others: to start one takes seconds."""
    with inline_workers() as kind:
        yield kind


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """Return the folder of a comparison, which the tests below read and must not change, and what was printed."""
    folder = tmp_path_factory.mktemp("compared")
    with inline_workers():
        return folder / "cmp", compare("--jobs", "2", cwd=folder)


@pytest.fixture
def again(compared, tmp_path):
    """Return a copy of the comparison that a test may write to."""
    return shutil.copytree(compared[0], tmp_path / "cmp")


def test_densities_and_masses_stand_in_one_ranking(compared):
    folder, text = compared
    rows = table(folder)
    assert set(rows) == set(CANDIDATES)
    normal, logistic, bernoulli = rows["normal"], rows[CANDIDATES[2]], rows["bernoulli"]
    assert {normal["rank"], logistic["rank"]} == {"1", "2"}
    assert normal["its own measure"] == "density"
    assert logistic["its own measure"] == "mass"
    assert logistic["log p"] == logistic["log p, its own"]
    bits = -float(normal["log p"]) / (64 * np.log(2))
    assert float(normal["bits/dim"]) == pytest.approx(bits)
    # A grid cell of width 1 has the mass of the density within it, nearly, as no cell is narrow against σ.
    assert float(normal["log p"]) >= float(normal["log p, its own"])
    assert bernoulli["rank"] == ""
    assert "bernoulli: not trained: bernoulli needs x to be 0 or 1" in text
    for words in ("mass of the grid cell", "Does learning get harder?", "epochs to 1 % of best"):
        assert words in text
        assert words in (folder / "table.md").read_text(encoding="utf-8")
    # Both end with what to take: one of the two that were ranked.
    verdict = (folder / "table.md").read_text(encoding="utf-8").strip().splitlines()[-1]
    assert verdict.startswith(("Take ", "No difference between "))
    assert "normal" in verdict
    assert "bernoulli" not in verdict
    assert verdict in text


def test_differences_are_paired(compared):
    folder, _ = compared
    rows = table(folder)
    scores = {}
    for name in CANDIDATES[1:]:
        (file,) = (folder / name.replace(":", "_").replace(",", "_")).glob("seed-0/scores.csv")
        with file.open() as text:
            scores[name] = np.array([float(row["common"]) for row in csv.DictReader(text)])
        assert float(rows[name]["log p"]) == pytest.approx(scores[name].mean())
        assert len(scores[name]) == 20
    worse = max(rows, key=lambda name: rows[name]["rank"])
    best = next(name for name in scores if name != worse)
    difference = scores[worse] - scores[best]
    assert float(rows[worse]["to the best"]) == pytest.approx(difference.mean())
    assert float(rows[worse]["± s.e. (paired)"]) == pytest.approx(difference.std(ddof=1) / 20**0.5)


@pytest.mark.slow
def test_files_of_a_comparison(compared):
    folder, _ = compared
    assert {p.name for p in (folder / "figures").iterdir()} == {"learning.png", "ranking.png"}
    run = folder / "normal/seed-0"
    files = {"config.json", "weights.safetensors", "state.safetensors", "history.csv", "figures"}
    files |= {"curve.csv", "scores.csv", "result.json"}
    assert {p.name for p in run.iterdir()} == files
    with (run / "curve.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2"]
    succeeds("evaluate", run, "--particles", "30", "--limit", "5", cwd=folder)
    (run / "metrics.json").unlink()
    (run / "posterior.nc").unlink()


@pytest.mark.slow
def test_it_goes_on_where_it_stopped(again, inline):
    untouched, missing = again / "normal/seed-0", again / "discretised_inner=logistic_scale=decoder/seed-0"
    before = (untouched / "weights.safetensors").stat().st_mtime_ns
    expected = (missing / "scores.csv").read_bytes()
    (missing / "result.json").unlink()
    (missing / "scores.csv").unlink()
    text = compare("--jobs", "2", cwd=again.parent)  # as before: sums differ in their last digits by threads
    assert (untouched / "weights.safetensors").stat().st_mtime_ns == before
    assert (missing / "scores.csv").read_bytes() == expected
    assert "rank" in text


@pytest.mark.parametrize("arguments", [[], ["--jobs", "0"]])
def test_without_jobs_no_worker_is_started(arguments, again, inline):
    (again / "normal/seed-0/result.json").unlink()
    compare(*arguments, cwd=again.parent)
    assert inline.sent == []
    assert (again / "normal/seed-0/result.json").is_file()


def test_a_candidate_that_failed_is_reported_in_its_row(again):
    message = "training stopped at step 7 (epoch 1): the loss is nan"
    result = {"status": "diverged at step 7", "message": message, "has_diverged": True}
    (again / "normal/seed-0/result.json").write_text(json.dumps(result))
    text = compare(cwd=again.parent)
    row = table(again)["normal"]
    assert row["rank"] == ""
    assert float(row["diverged"]) == 1
    assert "normal: 1 of 1 seeds: training stopped at step 7" in text
    assert table(again)[CANDIDATES[2]]["rank"] == "1"


def test_a_run_on_other_data_is_never_ranked_with_the_rest(again):
    file = again / "normal/seed-0/config.json"
    config = json.loads(file.read_text())
    config["data"]["binarise"] = "static"
    file.write_text(json.dumps(config))
    line = ["--data", "digits", "--observations", *CANDIDATES, *SMALL, "--out", "cmp"]
    message = refused("compare", *line, cwd=again.parent)
    assert "one of digits" in message
    assert "with binarise static" in message
    assert "train both on the same data" in message


def test_other_settings_are_refused_and_nothing_is_touched(again):
    before = (again / "table.csv").read_bytes()
    line = ["--data", "digits", "--observations", *CANDIDATES, *SMALL, "--lr", "0.01", "--out", "cmp"]
    message = refused("compare", *line, cwd=again.parent)
    assert "other settings: lr was 0.001, and is 0.01 now" in message
    binary = [*line[:-4], "--binarise", "threshold", "--out", "cmp"]
    message = refused("compare", *binary, cwd=again.parent)
    assert "models of other data: binarise was None, and is 'threshold' now" in message
    assert (again / "table.csv").read_bytes() == before


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "cmp").mkdir()
    line = ["--data", "digits", "--observations", "normal", *SMALL, "--out", "cmp"]
    assert "exists already" in refused("compare", *line, cwd=tmp_path)


@pytest.mark.parametrize(
    ("candidates", "words"),
    [
        (["normal", "poisson"], "cannot be ranked"),
        (["normal", "normal:scael=1"], "no option"),
        (["nomal"], "did you mean 'normal'"),
        (["normal", "normal"], "twice"),
        (["normal:scale=shared", "normal,scale=shared"], "twice"),
        (["bernoulli"], "no candidate takes these data"),
        (["discretised:inner=normal"], "needs data on a grid"),
    ],
)
def test_wrong_use_costs_no_training(candidates, words, tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).poisson(5, size=(60, 4)).astype(np.float32))
    line = ["--data", "x.npy", "--observations", *candidates, *SMALL, "--out", "cmp"]
    assert words in refused("compare", *line, cwd=tmp_path)
    assert not (tmp_path / "cmp").exists()


def test_a_worker_that_dies_costs_its_own_candidate(again, inline):
    inline.deadly = ("seed-0",)
    (again / "normal/seed-0/result.json").unlink()
    text = compare("--jobs", "1", cwd=again.parent)
    assert "normal: 1 of 1 seeds: the worker that ran it died" in text
    assert table(again)[CANDIDATES[2]]["rank"] == "1"


def test_the_help_tells_what_a_command_takes_and_its_own_defaults(tmp_path):
    assert "delta" not in succeeds("compare", "--help", cwd=tmp_path)
    text = " ".join(succeeds("warp_study", "--help", cwd=tmp_path).split())
    for words in ("size of z (default: 20)", "channels (default: 500 500)", "passes over the data (default: 10)"):
        assert words in text


@pytest.mark.parametrize(
    ("x", "lacking"),
    [
        (np.random.default_rng(0).uniform(size=(30, 4)), "has no grid and no bounds"),
        (np.random.default_rng(0).poisson(5, size=(30, 4)), "has no bounds"),
    ],
)
def test_the_warp_study_needs_a_grid_with_bounds(x, lacking, tmp_path):
    np.save(tmp_path / "x.npy", x)
    message = refused("warp_study", "--data", "x.npy", "--out", "warp", cwd=tmp_path)
    assert "the study needs data on a grid, stored as integers, with bounds" in message
    assert message.endswith(lacking)
    assert not (tmp_path / "warp").exists()


@pytest.mark.parametrize("seed", [-1, 2**63, "a"])
def test_the_warp_study_needs_a_seed(seed, tmp_path):
    with pytest.raises(UsageError, match=f"seed needs to be a whole number .*, but got {seed!r}"):
        study("digits", [0.0], out=tmp_path / "warp", seed=seed)
    assert not (tmp_path / "warp").exists()


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["0", "1"])
def test_an_interrupted_comparison_goes_on(jobs, tmp_path, group):
    line = [sys.executable, str(ROOT / "scripts/compare.py"), "--data", "digits", "--observations", "normal", "laplace"]
    line += ["--latent", "2", "--hidden", "16", "--epochs", "40", "--particles", "40", "--limit", "20", "--out", "cmp"]
    line += ["--jobs", jobs, "--seeds", "3"]  # enough to do that it is still at work when it is interrupted
    process = group(line, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    first = tmp_path / "cmp/normal/seed-0/result.json"
    until = time.monotonic() + 200
    while not first.exists():
        assert time.monotonic() < until
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error.strip().splitlines()[-1] == "compare.py: interrupted"
    before = first.stat().st_mtime_ns
    process = group(line, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    text, error = process.communicate(timeout=900)
    assert process.returncode == 0, error
    assert first.stat().st_mtime_ns == before
    assert "laplace" in text


@pytest.mark.slow
def test_the_warp_study(tmp_path, inline):
    found, text = warp_study(tmp_path)
    assert np.isfinite(found["Normal", -0.5])
    assert "continuous Bernoulli, trained clamped" in text
    assert ("Bernoulli, mean matched, clamped", 0.2) in found


@pytest.mark.slow
def test_the_warp_study_in_small(tmp_path, inline, monkeypatch):
    for name in set(DECODERS) - {"continuous Bernoulli", "Beta"}:
        monkeypatch.delitem(DECODERS, name)
    found, text = warp_study(tmp_path)
    assert ("Beta", -0.5) not in found  # the data are 0 and 1
    assert "Beta at γ = -0.5: beta needs x strictly between 0 and 1" in text
    assert np.isfinite(found["Beta", 0.2])
    # At mid-grey no parameter comes near the clamp.
    assert found["continuous Bernoulli", 0.2] == pytest.approx(found["continuous Bernoulli, clamped", 0.2])
    assert found["continuous Bernoulli", -0.5] > found["continuous Bernoulli, clamped", -0.5]


def warp_study(tmp_path):
    """Return the scores of the study by decoder and gamma, and what was printed."""
    line = ["--data", "digits", "--gammas", "-0.5", "0.2", "--epochs", "1", "--latent", "2", "--hidden", "16"]
    line += ["--particles", "30", "--limit", "20", "--jobs", "2", "--out", "warp"]
    text = succeeds("warp_study", *line, cwd=tmp_path)
    with (tmp_path / "warp/table.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert (tmp_path / "warp/figures/warp.png").exists()
    return {(row["decoder"], float(row["gamma"])): float(row["mean_log_weight"]) for row in rows}, text
