"""Every command, small, end to end, as a user calls it."""

import csv
import json
import resource
import subprocess
import sys

import numpy as np
import pytest
import torch

from obsvae.experiments.demo import first_free, result_rows
from obsvae.model import OBSERVATIONS
from tests.scripts.commands import ROOT, SMALL, command, copy, refused, succeeds


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


def test_training_again_gives_the_same_weights(trained, tmp_path):
    succeeds("train", "--data", "digits", "--observation", "normal:scale=shared", *SMALL, "--out", "b", cwd=tmp_path)
    assert (tmp_path / "b/weights.safetensors").read_bytes() == (trained / "weights.safetensors").read_bytes()


@pytest.mark.parametrize(
    "extra",
    [[], ["--variational"]],
    ids=["plain", "variational"],
)
@pytest.mark.slow
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


@pytest.mark.slow
def test_the_demo_runs_every_registered_observation(tmp_path):
    text = succeeds("demo", "--epochs", "1", "--particles", "30", "--limit", "10", "--out", "demo", cwd=tmp_path)
    assert all(f"== {name} ==" in text for name in OBSERVATIONS)
    table = text[text.index("== every observation that takes them") :]
    assert all(row in table for row in ("as it stands", "mean matched"))
    unfit = {
        "beta",
        "kumaraswamy",
        "logit-normal",
        "log-normal",
        "gamma",
        "weibull",
        "von-mises",
    }  # digits hold 0 and 16
    for name in OBSERVATIONS:
        assert (tmp_path / "demo" / name / "metrics.json").exists() is (name not in unfit)
    assert (tmp_path / "demo/table.md").exists()
    assert (tmp_path / "demo/reproductions/reproductions.png").exists()
    assert "Where to look" in text


def test_the_demo_has_a_row_for_each_run_and_each_correction_of_a_loss():
    scores = {
        "nats_per_datum": -5.0,
        "standard_error": 0.1,
        "bits_per_dim": 2.0,
        "ess_median": 9.0,
        "khat_median": 0.2,
        "khat_above_0.7": 0.0,
        "measure": "mass",
    }
    (row,) = result_rows("normal", "0 … 16", scores)
    assert row["observation"] == "normal"
    assert (row["log p(x)"], row["measure"], row["data"]) == (-5.0, "mass", "0 … 16")
    corrections = {"as it stands": scores, "mean matched": scores}
    rows = result_rows("loss", "0 … 16", {**dict.fromkeys(scores), "corrections": corrections})
    assert [row["observation"] for row in rows] == ["loss, as it stands", "loss, mean matched"]


def test_the_demo_takes_the_first_folder_that_is_free(tmp_path):
    assert first_free(tmp_path / "demo") == tmp_path / "demo"
    for name in ("demo", "demo-2"):
        (tmp_path / name).mkdir()
    assert first_free(tmp_path / "demo") == tmp_path / "demo-3"


@pytest.mark.parametrize("flag", ["--epochs", "--particles", "--limit"])
def test_the_demo_refuses_what_is_no_number_before_it_makes_a_folder(flag, tmp_path):
    assert "needs a whole number from 1" in refused("demo", flag, "abc", "--out", "demo", cwd=tmp_path)
    assert not (tmp_path / "demo").exists()


def test_the_demo_overwrites_nothing(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/table.md").write_text("precious")
    assert "exists" in refused("demo", "--epochs", "1", "--out", "mine", cwd=tmp_path)
    assert (tmp_path / "mine/table.md").read_text() == "precious"
    assert len(list((tmp_path / "mine").iterdir())) == 1


def test_the_benchmark_holds_estimates_against_annealing(evaluable, tmp_path):
    sizes = ["--rounds", "1", "--timed", "4", "--annealed", "3", "--temperatures", "5"]
    text = succeeds("benchmark", "likelihood", evaluable, *sizes, cwd=tmp_path)
    for words in ("amortised", "refined", "to AIS", "time / amortised", "matrix products", "passes a second"):
        assert words in text


@pytest.mark.parametrize("line", [["likelihood"], ["training", "runs/a"]])
def test_the_benchmark_says_what_needs_runs(line, tmp_path):
    assert "likelihood needs at least one run folder" in refused("benchmark", *line, cwd=tmp_path)


def test_the_help_on_observations_names_each_with_its_options(tmp_path):
    text = succeeds("train", "--observation", "help", cwd=tmp_path)
    assert all(f"\n{name} " in text for name in OBSERVATIONS)
    assert "dispersion=per-unit" in text
    assert list(tmp_path.iterdir()) == []


def test_every_command_shows_examples_of_itself(tmp_path):
    scripts = sorted(path.stem for path in (ROOT / "scripts").glob("[!_]*.py") if path.stem != "main")
    assert len(scripts) >= 8
    for script in scripts:
        done = command(script, "--help", cwd=tmp_path)
        assert done.returncode == 0
        examples = done.stdout.partition("examples:")[2]
        assert f"obsvae {script.rstrip('_')} " in examples, script
        assert " python " not in examples, script
        assert max(map(len, examples.splitlines())) <= 120, script


def test_obsvae_lists_its_commands_with_a_line_each():
    line = [sys.executable, "-X", "importtime", str(ROOT / "scripts/main.py")]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True)
    assert "torch" not in done.stderr  # which takes seconds
    for script in ("train", "evaluate", "compare", "report", "inspect"):
        assert f"\n  {script} " in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


@pytest.mark.parametrize(("program", "name"), [(["train.py"], "train.py"), (["main.py", "train"], "obsvae train")])
def test_a_program_used_wrongly_leaves_with_exit_code_2_and_one_line(program, name, tmp_path):
    line = [sys.executable, str(ROOT / "scripts" / program[0]), *program[1:], "--data", "mnits"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{name}: error: unknown data 'mnits'")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


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
        (["--prior", "standard-norml"], "did you mean 'standard-normal'"),
        (["--bounds", "-1e3", "2"], "needs all data within the declared bounds"),
        (["--unit-interval", "--data", "x.npy"], "x.npy"),
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


def test_an_existing_run_folder_is_left_alone(trained, tmp_path):
    before = {p: p.read_bytes() for p in trained.rglob("*") if p.is_file()}
    assert "exists" in refused("train", *SMALL, "--out", trained, cwd=tmp_path)
    assert {p: p.read_bytes() for p in trained.rglob("*") if p.is_file()} == before


def test_weights_that_cannot_be_written_are_told_in_one_line(tmp_path):
    # A limit on the size of files stands in for a full disk.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        message = refused("train", *SMALL, "--out", "run", cwd=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "run/weights.safetensors: " in message
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["config.json"]


def test_an_interrupt_keeps_the_run_and_stops_the_command(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(torch.optim.Adam, "step", interrupt)
    done = command("train", *SMALL, "--out", "run", cwd=tmp_path)
    assert done.returncode == 130
    assert "interrupted before the first epoch ended" in done.stdout
    assert (tmp_path / "run/weights.safetensors").exists()
    assert json.loads((tmp_path / "run/config.json").read_text())["outcome"]["stopped"] == "interrupted"


def test_the_data_seed_is_that_of_the_draws(tmp_path):
    line = ["--observation", "bernoulli", "--binarise", "static", "--data-seed", "3", *SMALL]
    succeeds("train", *line, "--out", "run", cwd=tmp_path)
    recipe = json.loads((tmp_path / "run/config.json").read_text())["data"]
    assert (recipe["seed"], recipe["binarise"]) == (3, "static")


def test_divergence_is_told_in_one_line_and_leaves_finite_weights(tmp_path):
    done = command("train", *SMALL, "--lr", "1e30", "--out", "run", cwd=tmp_path)
    assert done.returncode == 1
    assert "step" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    succeeds("evaluate", "run", "--particles", "1", "--limit", "5", cwd=tmp_path)
    assert "diverged at step" in json.loads((tmp_path / "run/config.json").read_text())["outcome"]["stopped"]
