"""Every command, small, end to end, as a user calls it."""

import csv
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from command import run
from evaluation import doubtful

from inference import History, LogLikelihood, diagnose
from model import OBSERVATIONS
from tests.scripts.commands import ROOT, SMALL, command, copy, refused, succeeds

METRICS = {
    "nats_per_datum",
    "standard_error",
    "bits_per_dim",
    "mean_log_weight",
    "particles",
    "n",
    "ess_median",
    "khat_median",
    "khat_above_0.7",
    "measure",
}


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


def test_a_run_leaves_the_files_of_the_design(trained):
    assert {p.name for p in trained.iterdir()} >= {"config.json", "weights.safetensors", "history.csv", "figures"}
    assert {p.name for p in (trained / "figures").iterdir()} == {"learning_curve.png", "reproductions.png"}
    config = json.loads((trained / "config.json").read_text())
    assert config["observation"] == "normal"
    assert config["outcome"]["stopped"] == "finished"
    with (trained / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[1]["validation_elbo"]) > float(rows[0]["validation_elbo"])


def test_evaluate_writes_the_metrics_and_a_table(evaluable, tmp_path):
    text = succeeds("evaluate", evaluable, "--particles", "50", "--limit", "20", cwd=tmp_path)
    metrics = json.loads((evaluable / "metrics.json").read_text())
    assert metrics.keys() >= METRICS
    assert (metrics["particles"], metrics["n"], metrics["measure"]) == (50, 20, "density")
    assert metrics["mean_log_weight"] <= metrics["nats_per_datum"]
    assert metrics["bits_per_dim"] == pytest.approx(-metrics["nats_per_datum"] / (64 * np.log(2)))
    for words in ("nats per datum", "density", f"{metrics['nats_per_datum']:.2f}", "k̂"):
        assert words in text
    with xr.open_datatree(evaluable / "posterior.nc", engine="h5netcdf") as tree:
        assert tree["posterior"]["z"].dims == ("chain", "draw", "datum", "latent")
        assert tree["posterior_predictive"]["x"].dims == ("chain", "draw", "datum", "row", "column")
        marginal = tree["sample_stats"]["log_marginal_likelihood"]
        assert float(marginal.mean()) == pytest.approx(metrics["nats_per_datum"])


def test_evaluating_twice_gives_the_same_numbers(evaluable, tmp_path):
    found = []
    for _ in range(2):
        succeeds("evaluate", evaluable, "--particles", "30", "--limit", "10", "--seed", "3", cwd=tmp_path)
        metrics = json.loads((evaluable / "metrics.json").read_text())
        found.append({key: metrics[key] for key in METRICS})
    assert found[0] == found[1]


def test_training_again_gives_the_same_weights(trained, tmp_path):
    succeeds("train", "--data", "digits", "--observation", "normal:scale=shared", *SMALL, "--out", "b", cwd=tmp_path)
    assert (tmp_path / "b/weights.safetensors").read_bytes() == (trained / "weights.safetensors").read_bytes()


def test_with_too_few_particles_the_table_says_so_and_the_json_stays_valid(evaluable, tmp_path):
    text = succeeds("evaluate", evaluable, "--particles", "1", "--limit", "5", cwd=tmp_path)
    assert "too few particles" in text
    assert json.loads((evaluable / "metrics.json").read_text())["khat_median"] is None


@pytest.mark.parametrize(
    "arguments",
    [
        ["--observation", "bernoulli", "--binarise", "dynamic"],
        ["--observation", "categorical"],
        ["--observation", "normal", "--scale", "optimal", "--link", "sigmoid"],
        ["--observation", "normal", "--scale", "0.5", "--standardise", "--kl-warmup", "2", "--clip", "10"],
        ["--observation", "continuous-bernoulli", "--architecture", "conv", "--patience", "1", "--batch-size", "200"],
        ["--observation", "normal:scale=decoder", "--dequantise", "--unit-interval"],
    ],
    ids=lambda a: "-".join(a[1:2] + a[3:4]),
)
def test_observations_train_and_evaluate(arguments, tmp_path):
    succeeds("train", *SMALL, *arguments, "--out", "run", cwd=tmp_path)
    succeeds("evaluate", "run", "--particles", "30", "--limit", "5", "--split", "validation", cwd=tmp_path)
    metrics = json.loads((tmp_path / "run/metrics.json").read_text())
    assert np.isfinite(metrics["nats_per_datum"])
    assert metrics["split"] == "validation"


def test_a_small_file_of_vectors_trains_and_evaluates(tmp_path):
    x = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    arguments = ["--data", array(tmp_path / "x.npy", x), "--observation", "normal:scale=per-feature", "--standardise"]
    succeeds("train", *SMALL, *arguments, "--out", "run", cwd=tmp_path)
    succeeds("evaluate", "run", "--particles", "40", "--limit", "1000", cwd=tmp_path)
    assert json.loads((tmp_path / "run/metrics.json").read_text())["n"] == 6
    assert (tmp_path / "run/figures/reproductions.png").exists()


def test_an_unnormalised_loss_is_scored_under_its_two_corrections(tmp_path):
    succeeds("train", *SMALL, "--observation", "unnormalised-bernoulli", "--out", "run", cwd=tmp_path)
    text = succeeds("evaluate", "run", "--particles", "30", "--limit", "5", cwd=tmp_path)
    assert "not a likelihood" in text
    metrics = json.loads((tmp_path / "run/metrics.json").read_text())
    assert metrics["measure"] == "none"
    assert metrics["nats_per_datum"] is None
    assert metrics["corrections"].keys() == {"as it stands", "mean matched"}
    for scores in metrics["corrections"].values():
        assert scores.keys() >= METRICS
        assert scores["measure"] == "density"


def test_a_plain_autoencoder_has_a_likelihood_by_refined_particles_alone(tmp_path):
    text = succeeds("train", *SMALL, "--guide", "delta", "--out", "run", cwd=tmp_path)
    assert "validation objective" in text
    assert "ELBO" not in text
    assert "evaluate.py" not in text
    assert "point mass" in refused("evaluate", "run", "--proposal", "amortised", "--particles", "30", cwd=tmp_path)
    assert not (tmp_path / "run/metrics.json").exists()
    succeeds("evaluate", "run", "--particles", "30", "--limit", "5", cwd=tmp_path)
    bracket = ["--proposal", "ais", "--bidirectional", "--temperatures", "3", "--limit", "3"]
    for line in (["--curve", "--particles", "30", "--limit", "5"], bracket):
        assert "there is no amortised estimate" in succeeds("evaluate", "run", *line, cwd=tmp_path)


@pytest.mark.parametrize("extra", [[], ["--variational"]], ids=["plain", "variational"])
def test_reproductions(extra, tmp_path):
    text = succeeds("reproductions", "--data", "digits", *SMALL, *extra, "--out", "out", cwd=tmp_path)
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "config.json",
        "reproductions.png",
        "table.csv",
        "table.md",
    }
    with (tmp_path / "out/table.csv").open() as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    assert len(rows) == 4
    # A sigmoid cannot leave the bounds.
    assert float(rows["sigmoid + cross-entropy"]["% outside [0, 16]"]) == 0
    assert all(model in text for model in rows)


def test_reproductions_that_diverge_leave_no_folder(tmp_path):
    done = command("reproductions", "--data", "digits", *SMALL, "--lr", "1e30", "--out", "out", cwd=tmp_path)
    assert done.returncode == 1
    assert "step" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_demo_runs_every_registered_observation(tmp_path):
    text = succeeds("demo", "--epochs", "1", "--particles", "30", "--limit", "10", "--out", "demo", cwd=tmp_path)
    assert all(f"== {name} ==" in text for name in OBSERVATIONS)
    table = text[text.index("== every observation that takes them") :]
    assert all(row in table for row in ("as it stands", "mean matched"))
    unfit = {"beta", "kumaraswamy", "logit-normal", "log-normal", "gamma", "weibull"}  # digits hold 0 and 16
    for name in OBSERVATIONS:
        assert (tmp_path / "demo" / name / "metrics.json").exists() is (name not in unfit)
    assert (tmp_path / "demo/table.md").exists()
    assert (tmp_path / "demo/reproductions/reproductions.png").exists()
    assert "Where to look" in text


def test_the_demo_overwrites_nothing(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/table.md").write_text("precious")
    assert "exists" in refused("demo", "--epochs", "1", "--out", "mine", cwd=tmp_path)
    assert (tmp_path / "mine/table.md").read_text() == "precious"
    assert len(list((tmp_path / "mine").iterdir())) == 1


def test_the_benchmark_prints_ratios(tmp_path):
    assert "by hand" in succeeds("benchmark", "training", "--data", "digits", "--rounds", "1", cwd=tmp_path)


def test_the_benchmark_holds_estimates_against_annealing(evaluable, tmp_path):
    sizes = ["--rounds", "1", "--timed", "4", "--annealed", "3", "--temperatures", "5"]
    text = succeeds("benchmark", "likelihood", evaluable, *sizes, cwd=tmp_path)
    for words in ("amortised", "refined", "to AIS", "time / amortised", "matrix products", "passes a second"):
        assert words in text


@pytest.mark.parametrize("line", [["likelihood"], ["training", "runs/a"]])
def test_the_benchmark_says_what_needs_runs(line, tmp_path):
    assert "needs at least one run folder, and training none" in refused("benchmark", *line, cwd=tmp_path)


def test_the_help_on_observations_names_each_with_its_options(tmp_path):
    text = succeeds("train", "--observation", "help", cwd=tmp_path)
    assert all(f"\n{name} " in text for name in OBSERVATIONS)
    assert "dispersion=shared" in text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("script", ["train", "evaluate", "reproductions", "demo", "benchmark"])
def test_each_script_runs_as_a_program_and_its_help_shows_examples(script, tmp_path):
    line = [sys.executable, str(ROOT / "scripts" / f"{script}.py"), "--help"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True)
    assert "examples:" in done.stdout
    assert f"python scripts/{script}.py" in done.stdout or script == "demo"


def test_a_program_used_wrongly_leaves_with_exit_code_2_and_one_line(tmp_path):
    line = [sys.executable, str(ROOT / "scripts/train.py"), "--data", "mnits"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("train.py: error: unknown data 'mnits'")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError("Unable to allocate 72.8 TiB for an array with shape (1, 2)"), "72.8 TiB of memory"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0"), "20.00 GiB of memory"),
        (MemoryError(), "more memory"),
    ],
)
def test_too_little_memory_is_told_in_one_line(error, words, tmp_path, monkeypatch):
    def fail(**_):
        raise error

    monkeypatch.setattr(importlib.import_module("training"), "load", fail)
    assert words in refused("train", *SMALL, cwd=tmp_path)


def test_an_error_of_ours_keeps_its_traceback():
    def broken(_):
        raise RuntimeError("a fault in the program")

    with pytest.raises(RuntimeError, match="a fault in the program"):
        run(broken)


def array(path, x):
    np.save(path, x)
    return path.name


BAD_DATA = {
    "a 3 for Bernoulli": (lambda x: x.round() + 3 * (x == x.max()), "bernoulli", "0 or 1"),
    "1.2 for the continuous Bernoulli": (lambda x: np.where(x == x.max(), 1.2, x), "continuous-bernoulli", "1.2"),
    "NaN": (lambda x: np.where(x == x.max(), np.nan, x), "continuous-bernoulli", "nan"),
    "a sigmoid link without bounds": (lambda x: 50 * x, "normal:link=sigmoid", "bounds"),
    "a softplus link below zero": (lambda x: -x, "normal:link=softplus", "identity"),
    "infinity": (lambda x: np.where(x == x.max(), np.inf, x), "normal", "inf"),
    "one dimension": (lambda x: x[:, 0], "normal", "shape"),
    "empty": (lambda x: x[:0], "normal", "at least 10 rows"),
    "constant": (lambda x: 0 * x, "normal", "vary"),
}


@pytest.mark.parametrize("name", BAD_DATA)
def test_bad_data_is_refused_in_one_line_and_nothing_is_written(name, tmp_path):
    spoil, observation, words = BAD_DATA[name]
    x = np.random.default_rng(0).uniform(size=(60, 4)).astype(np.float32)
    path = array(tmp_path / "x.npy", spoil(x))
    message = refused("train", "--data", path, "--observation", observation, *SMALL, "--out", "run", cwd=tmp_path)
    assert words in message.lower()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "digit"], "did you mean 'digits'"),
        (["--data", "absent.npy"], "absent.npy"),
        (["--observation", "Bernouli"], "did you mean 'bernoulli'"),
        (["--observation", "bernoulli", "--scale", "shared"], "no option"),
        (["--observation", "normal:scael=1"], "scale"),
        (["--scale", "sharde"], "did you mean 'shared'"),
        (["--scale", "-1"], "positive"),
        (["--link", "logistic"], "sigmoid"),
        (["--architecture", "convnet"], "did you mean 'conv'"),
        (["--binarise", "dynamc"], "did you mean 'dynamic'"),
        (["--device", "cudaa"], "did you mean 'cuda'"),
        (["--latent", "0"], "from 1 to"),
        (["--lr", "nan"], "positive"),
        (["--guide", "norml"], "did you mean 'normal'"),
        (["--observation", "continuous-bernoulli", "--standardise"], "scaling"),
        (["--no-such-option"], "--no-such-option"),
        (["--latent", "9" * 20], "2^31"),
        (["--batch-size", "9" * 20], "2^31"),
        (["--latent", "1000000000"], "memory"),
        (["--latent", "2000000000", "--hidden", "2000000000"], "memory"),
    ],
)
def test_wrong_use_is_refused_in_one_line(arguments, words, tmp_path):
    assert words in refused("train", *arguments, "--out", "run", cwd=tmp_path)
    assert not (tmp_path / "run").exists()


def test_the_row_of_the_file_is_named(tmp_path):
    x = np.random.default_rng(0).integers(0, 2, size=(60, 4)).astype(np.int64)
    x[41, 2] = 3
    path = array(tmp_path / "x.npy", x)
    message = refused("train", "--data", path, "--observation", "bernoulli", *SMALL, "--out", "run", cwd=tmp_path)
    assert "found 3 at datum 41, feature 2 (counted from 0)" in message


def test_an_existing_run_folder_is_left_alone(trained, tmp_path):
    before = {p: p.read_bytes() for p in trained.rglob("*") if p.is_file()}
    assert "exists" in refused("train", *SMALL, "--out", trained, cwd=tmp_path)
    assert {p: p.read_bytes() for p in trained.rglob("*") if p.is_file()} == before


def respelt(run, **changes):
    return json.dumps({**json.loads((run / "config.json").read_text()), **changes})


def test_a_result_that_cannot_be_written_is_told_in_one_line(evaluable, tmp_path):
    (evaluable / "metrics.json").mkdir()
    assert "metrics.json" in refused("evaluate", evaluable, "--particles", "30", "--limit", "5", cwd=tmp_path)


def test_weights_that_cannot_be_written_are_told_in_one_line(tmp_path):
    # A limit on the size of files stands in for a full disk.
    line = f"ulimit -f 20; exec {sys.executable} {ROOT / 'scripts/train.py'} --epochs 1 --latent 2 --out run"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("train.py: error: run/weights.safetensors: ")
    assert len(done.stderr.strip().splitlines()) == 1
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["config.json"]


def test_a_closed_pipe_costs_the_text_alone(evaluable, tmp_path):
    line = [sys.executable, str(ROOT / "scripts/evaluate.py"), str(evaluable), "--particles", "30", "--limit", "5"]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(line, cwd=tmp_path, stdout=write, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    os.close(write)
    assert done.returncode == 1
    assert done.stderr == ""
    assert json.loads((evaluable / "metrics.json").read_text())["n"] == 5


def test_metrics_that_are_replaced_are_named(evaluable, tmp_path):
    succeeds("evaluate", evaluable, "--particles", "30", "--limit", "5", cwd=tmp_path)
    assert "note" not in succeeds("evaluate", evaluable, "--particles", "30", "--limit", "5", cwd=tmp_path)
    text = succeeds("evaluate", evaluable, "--particles", "40", "--limit", "5", "--split", "train", cwd=tmp_path)
    assert "note: these replace the metrics with split test, particles 30" in text


def test_a_run_is_saved_while_it_trains(tmp_path, monkeypatch):
    module = importlib.import_module("training")
    fit, seen = module.fit, []

    def watched(*arguments, after_epoch, **options):
        def look(history):
            after_epoch(history)
            seen.append({p.name for p in (tmp_path / "run").iterdir()})
            assert len((tmp_path / "run/history.csv").read_text().splitlines()) == 1 + len(history)

        return fit(*arguments, after_epoch=look, **options)

    monkeypatch.setattr(module, "fit", watched)
    succeeds("train", *SMALL, "--out", "run", cwd=tmp_path)
    assert seen == [{"config.json", "history.csv", "weights.safetensors"}] * 2


@pytest.mark.parametrize("stopped", ["unfinished", "interrupted", "diverged at step 7"])
def test_a_run_cut_short_is_evaluated_with_a_warning(stopped, evaluable, tmp_path):
    (evaluable / "config.json").write_text(respelt(evaluable, outcome={"stopped": stopped, "best_epoch": None}))
    text = succeeds("evaluate", evaluable, "--particles", "30", "--limit", "5", cwd=tmp_path)
    assert f"warning: training was cut short ({stopped})" in text
    assert json.loads((evaluable / "metrics.json").read_text())["training"]["stopped"] == stopped


def test_an_interrupt_keeps_the_run_and_stops_the_command(tmp_path, monkeypatch):
    def interrupted(*_, **__):
        return History(stopped="interrupted")

    monkeypatch.setattr(importlib.import_module("training"), "fit", interrupted)
    done = command("train", *SMALL, "--out", "run", cwd=tmp_path)
    assert done.returncode == 130
    assert (tmp_path / "run/weights.safetensors").exists()
    assert json.loads((tmp_path / "run/config.json").read_text())["outcome"]["stopped"] == "interrupted"


def test_a_file_that_was_replaced_is_not_evaluated(tmp_path):
    x = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    succeeds("train", "--data", array(tmp_path / "x.npy", x), *SMALL, "--out", "run", cwd=tmp_path)
    succeeds("evaluate", "run", "--particles", "5", cwd=tmp_path)
    array(tmp_path / "x.npy", x + 1)
    assert "other data" in refused("evaluate", "run", "--particles", "5", cwd=tmp_path)


def test_the_data_seed_draws_other_data(tmp_path):
    arguments = ["--binarise", "static", *SMALL]
    for number in ("0", "1"):
        succeeds(
            "train", "--observation", "bernoulli", *arguments, "--data-seed", number, "--out", number, cwd=tmp_path
        )
    weights = [(tmp_path / number / "weights.safetensors").read_bytes() for number in ("0", "1")]
    assert weights[0] != weights[1]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda run: (run / "weights.safetensors").unlink(), "weights.safetensors"),
        (lambda run: (run / "config.json").unlink(), "config.json"),
        (lambda run: (run / "weights.safetensors").write_bytes(b"not weights"), "damaged"),
        (lambda run: (run / "config.json").write_text("{"), "JSON"),
        (lambda run: (run / "config.json").write_text('{"format": 99}'), "format"),
        (lambda run: (run / "config.json").write_text('{"format": 4}'), "data"),
        (lambda run: (run / "config.json").write_text(respelt(run, observation=5)), "config.json"),
        (lambda run: (run / "config.json").write_text(respelt(run, data_sha256="0")), "other data"),
        (lambda run: (run / "config.json").write_text(respelt(run, hidden=[-1])), "misstates"),
        (lambda run: (run / "config.json").write_text(respelt(run, latent=-3)), "latent dimension"),
    ],
)
def test_a_damaged_run_is_refused_in_one_line(spoil, words, evaluable, tmp_path):
    spoil(evaluable)
    assert words in refused("evaluate", evaluable, cwd=tmp_path)
    assert not (evaluable / "metrics.json").exists()


def test_divergence_is_told_in_one_line_and_leaves_finite_weights(tmp_path):
    done = command("train", *SMALL, "--lr", "1e30", "--out", "run", cwd=tmp_path)
    assert done.returncode == 1
    assert "step" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    succeeds("evaluate", "run", "--particles", "1", "--limit", "5", cwd=tmp_path)
    assert "diverged at step" in json.loads((tmp_path / "run/config.json").read_text())["outcome"]["stopped"]


@pytest.mark.skipif(
    not (Path(os.environ.get("OBSVAE_DATA", ".")) / "MNIST/raw").is_dir(),
    reason="needs MNIST/raw in the folder that OBSVAE_DATA names",
)
def test_mnist_trains_and_evaluates(tmp_path):
    arguments = ["--data", "mnist", "--observation", "bernoulli", "--binarise", "dynamic", "--epochs", "1"]
    succeeds("train", *arguments, "--latent", "10", "--hidden", "100", "--out", "run", cwd=tmp_path)
    succeeds("evaluate", "run", "--particles", "50", "--limit", "100", cwd=tmp_path)
    metrics = json.loads((tmp_path / "run/metrics.json").read_text())
    # Far above a model of independent pixels, at about −206 nats.
    assert metrics["nats_per_datum"] > -180
    assert metrics["measure"] == "mass"


def test_the_curve_is_drawn_beside_the_value_of_annealing(evaluable, tmp_path):
    text = succeeds("evaluate", evaluable, "--curve", "--particles", "60", "--limit", "8", cwd=tmp_path)
    assert "--proposal ais leaves it" in text
    assert (evaluable / "figures/likelihood.png").is_file()
    annealing = ["--proposal", "ais", "--temperatures", "10"]
    text = succeeds("evaluate", evaluable, *annealing, "--limit", "5", cwd=tmp_path)
    assert "test-ais.csv" in text
    with (evaluable / "likelihood/test-ais.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["datum"] for row in rows] == list("01234")
    assert {"log_likelihood", "standard_error", "ess", "khat", "particles", "flagged"} <= set(rows[0])
    text = succeeds("evaluate", evaluable, "--curve", "--particles", "60", "--limit", "8", cwd=tmp_path)
    assert "AIS over the same data" in text
    assert "means over 5 data" in text
    assert "flagged" in text
    metrics = json.loads((evaluable / "metrics.json").read_text())
    assert metrics["proposal_settings"]["temperatures"] == 10
    assert "temperatures=10" in rows[0]["proposal"]


@pytest.mark.parametrize("content", [b"", b"datum,log_likelihood\n", b"datum,log_likelihood\n0,x\n", b"\xff\xfe"])
def test_estimates_that_are_none_are_refused_in_one_line(content, evaluable, tmp_path):
    (evaluable / "likelihood").mkdir(exist_ok=True)
    (evaluable / "likelihood/test-ais.csv").write_bytes(content)
    text = refused("evaluate", evaluable, "--curve", "--particles", "30", "--limit", "3", cwd=tmp_path)
    assert "test-ais.csv does not hold estimates by datum; remove it, or make it anew" in text


def test_data_without_an_estimate_are_named_with_a_remedy():
    log_weights = np.zeros((40, 3))
    log_weights[:, 1] = -np.inf
    weights = diagnose(log_weights)
    likelihood = LogLikelihood(weights, log_weights.mean(0), 40, np.full(3, 40), 4, "refined")
    lost, *_ = doubtful(likelihood)
    assert "no estimate for datum 1:" in lost
    assert "take an observation with heavier tails" in lost


def test_simulated_data_are_bracketed(evaluable, tmp_path):
    line = ["--proposal", "ais", "--bidirectional", "--temperatures", "10", "--particles", "4", "--limit", "6"]
    text = succeeds("evaluate", evaluable, *line, cwd=tmp_path)
    for words in ("6 data drawn from the model", "lower bound", "upper bound", "gap of the bounds"):
        assert words in text
    with (evaluable / "likelihood/simulated.csv").open() as file:
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
    ],
)
def test_settings_that_do_not_go_together(line, words, evaluable, tmp_path):
    assert words in refused("evaluate", evaluable, *line, cwd=tmp_path)
