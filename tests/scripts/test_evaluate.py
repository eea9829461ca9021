"""The command evaluate, as a user calls it, and the files that it leaves."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from obsvae.data import load
from obsvae.experiments.runs.run import FORMAT
from tests.scripts.commands import ROOT, SMALL, command, copy, refused, succeeds

METRICS = {
    "nats_per_datum",
    "standard_error",
    "bits_per_dim",
    "elbo",
    "mean_log_weight",
    "particles",
    "n",
    "ess_median",
    "khat_median",
    "khat_above_0.7",
    "measure",
    "is_bound",
}
FEW = ["--particles", "30", "--limit", "5"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a run folder that the tests below read, and must not change."""
    folder = tmp_path_factory.mktemp("trained")
    succeeds("train", "--data", "digits", "--observation", "normal", *SMALL, "--out", "run", cwd=folder)
    return folder / "run"


@pytest.fixture
def evaluable(trained, tmp_path):
    """Return a copy of the trained run that a test may write to."""
    return copy(trained, tmp_path / "run")


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    """Return a folder with a run on a small table of real numbers, which have no grid."""
    folder = tmp_path_factory.mktemp("vectors")
    x = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    np.save(folder / "x.npy", x)
    arguments = ["--data", "x.npy", "--observation", "normal:scale=per-feature", "--standardise"]
    succeeds("train", *SMALL, *arguments, "--out", "run", cwd=folder)
    return folder


def metrics_of(run):
    return json.loads((run / "metrics.json").read_text())


def respelt(run, **changes):
    return json.dumps({**json.loads((run / "config.json").read_text()), **changes})


@pytest.mark.slow
def test_grey_levels_have_the_mass_of_their_cells_for_a_headline_and_the_density_beside(evaluable, tmp_path):
    text = succeeds("evaluate", evaluable, "--particles", "50", "--limit", "20", cwd=tmp_path)
    metrics = metrics_of(evaluable)
    own = metrics["own_measure"]
    assert metrics.keys() >= METRICS
    assert own.keys() >= METRICS
    assert (metrics["particles"], metrics["n"]) == (50, 20)
    assert (metrics["measure"], own["measure"]) == ("mass", "density")
    for numbers in (metrics, own):
        assert numbers["mean_log_weight"] <= numbers["nats_per_datum"]
        assert numbers["elbo"] <= numbers["nats_per_datum"]
        assert numbers["bits_per_dim"] == pytest.approx(-numbers["nats_per_datum"] / (64 * np.log(2)))
        assert f"{numbers['nats_per_datum']:.2f}" in text
        assert f"{numbers['elbo']:.2f}" in text
    for words in ("nats per datum", "normal (mass)", "normal (density)", "ELBO of the guide", "k̂"):
        assert words in text
    with xr.open_datatree(evaluable / "posterior.nc", engine="h5netcdf") as tree:
        assert tree["posterior"]["z"].dims == ("chain", "draw", "datum", "latent")
        assert tree["posterior_predictive"]["x"].dims == ("chain", "draw", "datum", "row", "column")
        assert set(np.unique(tree["posterior_predictive"]["x"])) <= set(range(17))
        marginal = tree["sample_stats"]["log_marginal_likelihood"]
        assert float(marginal.mean()) == pytest.approx(metrics["nats_per_datum"])


def test_the_files_can_be_joined_to_the_rows_of_the_data(evaluable, tmp_path):
    text = succeeds("evaluate", evaluable, "--particles", "20", "--limit", "5", cwd=tmp_path)
    rows = load("digits").rows["test"][:5].tolist()
    with (evaluable / "likelihood/test-refined.csv").open() as file:
        found = list(csv.DictReader(file))
    assert [int(row["row"]) for row in found] == rows
    assert [int(row["datum"]) for row in found] == list(range(5))
    assert {row["measure"] for row in found} == {"mass"}
    assert f"datum 0 (row {rows[0]}), 1 (row {rows[1]})" in text  # too few particles: all are flagged
    assert "(--proposal ais)" in text


def test_data_without_a_grid_have_one_column(vectors, tmp_path):
    run = copy(vectors / "run", tmp_path / "run")
    text = succeeds("evaluate", run, "--particles", "40", "--limit", "1000", cwd=vectors)
    metrics = metrics_of(run)
    assert (metrics["n"], metrics["measure"], metrics["own_measure"]) == (6, "density", None)
    assert text.splitlines()[0].split() == ["unit", "normal:scale=per-feature"]
    assert (vectors / "run/figures/reproductions.png").exists()


def test_evaluating_twice_gives_the_same_numbers(vectors, tmp_path):
    found, run = [], copy(vectors / "run", tmp_path / "run")
    for _ in range(2):
        text = succeeds("evaluate", run, "--particles", "30", "--seed", "3", cwd=vectors)
        found.append({key: metrics_of(run)[key] for key in METRICS})
    assert found[0] == found[1]
    assert "note: these replace" not in text  # the same settings


def test_with_too_few_particles_the_output_says_so_and_the_json_stays_valid(vectors, tmp_path):
    run = copy(vectors / "run", tmp_path / "run")
    text = succeeds("evaluate", run, "--particles", "1", "--limit", "5", cwd=vectors)
    assert "warning: too few particles for k̂" in text
    assert metrics_of(run)["khat_median"] is None


@pytest.mark.parametrize(
    ("arguments", "measure", "own"),
    [
        (["--observation", "bernoulli", "--binarise", "dynamic"], "mass", None),
        pytest.param(
            ["--observation", "normal:scale=decoder", "--dequantise", "--unit-interval"],
            "density",
            None,
            marks=pytest.mark.slow,
        ),
        pytest.param(["--observation", "categorical"], "mass", None, marks=pytest.mark.slow),
        pytest.param(
            ["--observation", "normal", "--scale", "optimal", "--link", "sigmoid"],
            "mass",
            "density",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ["--observation", "normal", "--scale", "0.5", "--standardise", "--kl-warmup", "2", "--clip", "10"],
            "mass",
            "density",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            [
                *("--observation", "continuous-bernoulli", "--architecture", "conv"),
                *("--patience", "1", "--batch-size", "200"),
            ],
            "mass",
            "density",
            marks=pytest.mark.slow,
        ),
    ],
    ids=lambda a: "-".join(a[1:2] + a[3:4]) if isinstance(a, list) else None,
)
def test_observations_train_and_evaluate(arguments, measure, own, tmp_path):
    succeeds("train", *SMALL, *arguments, "--out", "run", cwd=tmp_path)
    succeeds("evaluate", "run", *FEW, "--split", "validation", cwd=tmp_path)
    metrics = metrics_of(tmp_path / "run")
    assert np.isfinite(metrics["nats_per_datum"])
    assert (metrics["split"], metrics["measure"]) == ("validation", measure)
    assert (metrics["own_measure"] or {}).get("measure") == own


@pytest.mark.slow
def test_an_unnormalised_loss_is_scored_under_its_two_corrections(tmp_path):
    succeeds("train", *SMALL, "--observation", "unnormalised-bernoulli", "--out", "run", cwd=tmp_path)
    text = succeeds("evaluate", "run", *FEW, cwd=tmp_path)
    assert "note: unnormalised-bernoulli is a loss, not a likelihood" in text
    metrics = metrics_of(tmp_path / "run")
    assert metrics["measure"] == "none"
    assert metrics["nats_per_datum"] is None
    assert metrics["own_measure"] is None
    assert metrics["corrections"].keys() == {"as it stands", "mean matched"}
    for name, scores in metrics["corrections"].items():
        assert scores.keys() >= METRICS
        assert (scores["measure"], scores["own_measure"]["measure"]) == ("mass", "density")
        assert f"{name} (mass)" in text
    with (tmp_path / "run/likelihood/test-refined.csv").open() as file:
        saved = np.mean([float(row["log_likelihood"]) for row in csv.DictReader(file)])
    assert saved == pytest.approx(metrics["corrections"]["mean matched"]["nats_per_datum"])


@pytest.mark.slow
def test_a_plain_autoencoder_has_a_likelihood_by_refined_particles_alone(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32))
    text = succeeds("train", "--data", "x.npy", *SMALL, "--guide", "delta", "--out", "run", cwd=tmp_path)
    assert "validation objective" in text
    assert "ELBO" not in text
    assert "evaluate" not in text
    assert "point mass" in refused("evaluate", "run", "--proposal", "amortised", "--particles", "30", cwd=tmp_path)
    assert not (tmp_path / "run/metrics.json").exists()
    succeeds("evaluate", "run", *FEW, cwd=tmp_path)
    assert metrics_of(tmp_path / "run")["elbo"] is None
    bracket = ["--proposal", "ais", "--bidirectional", "--temperatures", "3", "--limit", "3"]
    for line in (["--curve", *FEW], bracket):
        assert "there is no amortised estimate" in succeeds("evaluate", "run", *line, cwd=tmp_path)


def test_a_result_that_cannot_be_written_is_told_in_one_line(vectors, tmp_path):
    run = copy(vectors / "run", tmp_path / "run")
    (run / "metrics.json").mkdir()
    assert "metrics.json" in refused("evaluate", run, *FEW, cwd=vectors)


@pytest.mark.slow
def test_a_closed_pipe_costs_the_text_alone(vectors, tmp_path):
    run = copy(vectors / "run", tmp_path / "run")
    line = [sys.executable, str(ROOT / "scripts/evaluate.py"), str(run), *FEW]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(line, cwd=vectors, stdout=write, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    os.close(write)
    assert done.returncode == 1
    assert done.stderr == ""
    assert metrics_of(run)["n"] == 5


def test_metrics_that_are_replaced_are_named(vectors, tmp_path):
    run = copy(vectors / "run", tmp_path / "run")
    assert "note: these replace" not in succeeds("evaluate", run, *FEW, cwd=vectors)
    text = succeeds("evaluate", run, "--particles", "40", "--limit", "5", "--split", "train", cwd=vectors)
    assert "note: these replace the metrics with split test, particles 30" in text


def test_a_run_cut_short_is_evaluated_with_a_warning(vectors, tmp_path):
    run = copy(vectors / "run", tmp_path / "run")
    outcome = {"stopped": "diverged at step 7", "best_epoch": None, "objective": None}
    (run / "config.json").write_text(respelt(run, outcome=outcome))
    text = succeeds("evaluate", run, *FEW, cwd=vectors)
    assert "warning: training was cut short (diverged at step 7)" in text
    assert metrics_of(run)["training"]["stopped"] == "diverged at step 7"


def test_a_file_that_was_replaced_is_not_evaluated(vectors, tmp_path):
    copy(vectors / "run", tmp_path / "run")
    np.save(tmp_path / "x.npy", np.load(vectors / "x.npy") + 1)
    assert "other data" in refused("evaluate", "run", "--particles", "5", cwd=tmp_path)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda run: (run / "weights.safetensors").unlink(), "weights.safetensors"),
        (lambda run: (run / "config.json").unlink(), "config.json"),
        (lambda run: (run / "weights.safetensors").write_bytes(b"not weights"), "damaged"),
        (lambda run: (run / "config.json").write_text("{"), "JSON"),
        (lambda run: (run / "config.json").write_text('{"format": 99}'), "format"),
        (lambda run: (run / "config.json").write_text(json.dumps({"format": FORMAT})), "misstates"),
        (lambda run: (run / "config.json").write_text(respelt(run, observation=5)), "config.json"),
        (lambda run: (run / "config.json").write_text(respelt(run, data_sha256="0")), "other data"),
        (lambda run: (run / "config.json").write_text(respelt(run, hidden=[-1])), "misstates"),
        (lambda run: (run / "config.json").write_text(respelt(run, latent=-3)), "latent"),
    ],
)
def test_a_damaged_run_is_refused_in_one_line(spoil, words, vectors, tmp_path):
    run = copy(vectors / "run", tmp_path / "run")
    spoil(run)
    assert words in refused("evaluate", run, cwd=vectors)
    assert not (run / "metrics.json").exists()


@pytest.mark.skipif(
    not (Path(os.environ.get("OBSVAE_DATA", ".")) / "MNIST/raw").is_dir(),
    reason="needs MNIST/raw in the folder that OBSVAE_DATA names",
)
@pytest.mark.slow
def test_mnist_trains_and_evaluates(tmp_path):
    arguments = ["--data", "mnist", "--observation", "bernoulli", "--binarise", "dynamic", "--epochs", "1"]
    succeeds("train", *arguments, "--latent", "10", "--hidden", "100", "--out", "run", cwd=tmp_path)
    succeeds("evaluate", "run", "--particles", "50", "--limit", "100", cwd=tmp_path)
    metrics = metrics_of(tmp_path / "run")
    # Far above a model of independent pixels, at about −206 nats.
    assert metrics["nats_per_datum"] > -180
    assert metrics["measure"] == "mass"


def test_the_curve_is_drawn_beside_the_value_of_annealing(vectors, tmp_path):
    run = copy(vectors / "run", tmp_path / "run")
    curve = ["--curve", "--particles", "60", "--limit", "6"]
    text = succeeds("evaluate", run, *curve, cwd=vectors)
    assert "evaluate the same data with --proposal ais" in text
    assert (run / "figures/likelihood.png").is_file()
    text = succeeds("evaluate", run, "--proposal", "ais", "--temperatures", "10", "--limit", "5", cwd=vectors)
    assert "test-ais.csv" in text
    with (run / "likelihood/test-ais.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["datum"] for row in rows] == list("01234")
    assert {"row", "log_likelihood", "standard_error", "ess", "khat", "particles", "flagged"} <= set(rows[0])
    text = succeeds("evaluate", run, *curve, cwd=vectors)
    assert "AIS over the same data" in text
    assert "means over 5 data" in text
    assert "flagged" in text
    metrics = metrics_of(run)
    assert metrics["proposal_settings"]["temperatures"] == 10
    assert "temperatures=10" in rows[0]["proposal"]


def test_estimates_that_are_none_are_refused_in_one_line(vectors, tmp_path):
    run = copy(vectors / "run", tmp_path / "run")
    (run / "likelihood").mkdir()
    (run / "likelihood/test-ais.csv").write_text("datum,log_likelihood\n0,-1\n")
    text = refused("evaluate", run, "--curve", *FEW, cwd=vectors)
    assert "test-ais.csv does not hold estimates by datum; remove it, or make it anew" in text


@pytest.mark.slow
def test_simulated_data_are_bracketed(vectors, tmp_path):
    run = copy(vectors / "run", tmp_path / "run")
    line = ["--proposal", "ais", "--bidirectional", "--temperatures", "10", "--particles", "4", "--limit", "6"]
    text = succeeds("evaluate", run, *line, cwd=vectors)
    for words in ("6 data drawn from the model", "the measure is density", "lower bound", "upper bound", "gap of the"):
        assert words in text
    with (run / "likelihood/simulated.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["datum"] for row in rows] == list("012345")
    assert {"lower log_likelihood", "upper", "refined log_likelihood", "refined khat", "amortised ess"} <= set(rows[0])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["--bidirectional"], "--bidirectional: for annealing alone; add --proposal ais"),
        (["--temperatures", "5", "--start", "prior"], "--temperatures and --start: for annealing alone"),
        (["--proposal", "ais", "--curve"], "leave out --proposal ais"),
        (["--proposal", "asi"], "did you mean 'ais'"),
        (["--curve", "--rounds", "3"], "--rounds: not for --curve"),
        (["--check", "5", "--curve"], "leave it out beside --curve"),
        (["--check", "5", "--proposal", "ais"], "leave it out beside --proposal ais"),
    ],
)
def test_settings_that_do_not_go_together(line, words, trained, tmp_path):
    assert words in refused("evaluate", trained, *line, cwd=tmp_path)


@pytest.mark.slow
def test_missing_entries_are_declared_and_told(tmp_path):
    x = np.random.default_rng(0).normal(size=(80, 3)) * [1.0, 10.0, 100.0]
    x[::4, 1] = np.nan
    np.save(tmp_path / "x.npy", x)
    line = ["--data", "x.npy", "--latent", "1", "--hidden", "4", "--epochs", "1"]
    assert "declare missing ones (--missing)" in refused("train", *line, cwd=tmp_path)
    succeeds("train", *line, "--missing", "--out", "run", cwd=tmp_path)
    text = succeeds("evaluate", "run", "--particles", "30", "--check", "5", cwd=tmp_path)
    assert "note: " in text
    assert "of 24 entries are missing" in text
    assert "log p(x) is that of the entries that are seen" in text
    report = command("report", "run", "--particles", "30", "--out", "report.html", cwd=tmp_path)
    assert report.returncode == 0, report.stderr
    assert "Warning" not in report.stderr
