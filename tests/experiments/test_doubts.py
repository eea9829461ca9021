"""What is told before any number: of the data, of the fit, of latents, floors and steps."""

import json

import numpy as np
import pytest
import torch

from obsvae.data import load
from obsvae.experiments import compare, evaluate_run, train_run
from obsvae.experiments.evaluation.after_training import summary
from obsvae.experiments.evaluation.doubts import MOST, of_data, of_floor, of_latents, of_steps
from obsvae.experiments.reporting.subject import look_at
from obsvae.model import make_observation
from tests.scripts.commands import command

rng = np.random.default_rng(7)
N = 400
REAL = rng.normal(size=(N, 2)) @ rng.normal(size=(2, 4)) + 0.5 * rng.normal(size=(N, 4))
HALF_ZERO = np.where(rng.random((N, 4)) < 0.5, 0, REAL)
SMALL = {"latent": 2, "hidden": (16,), "progress": False}
QUIET = {"particles": 40, "check": 0, "limit": 40, "progress": False}


@pytest.fixture(scope="module")
def half_zero(tmp_path_factory):
    data = load(HALF_ZERO)
    return train_run("normal", data, tmp_path_factory.mktemp("doubts") / "half", epochs=20, **SMALL)


def test_a_density_over_zeros_is_told_first_wherever_numbers_are(half_zero):
    found = evaluate_run(half_zero, **QUIET)
    first = found.findings[0]
    assert (first.kind, first.is_warning) == ("misfit", True)
    assert "of the values are exactly 0, and the model gives that no mass" in first.text
    assert any(one.kind == "suspicion" and "a density gives that no mass" in one.text for one in found.findings)
    metrics = json.loads((half_zero.folder / "metrics.json").read_text())
    assert [one["text"] for one in metrics["findings"]] == [one.text for one in found.findings]
    assert metrics["active_latents"] in (0, 1, 2)
    reported = look_at(half_zero, "half", limit=30, particles=20).findings[0]
    assert "exactly 0, and the model gives that no mass" in reported.text


@pytest.mark.slow
def test_data_that_fit_leave_nothing_to_tell(tmp_path):
    run = train_run("normal", load(REAL), tmp_path / "run", epochs=130, batch_size=80, lr=3e-3, **SMALL)
    kinds = {one.kind for one in evaluate_run(run, **QUIET).findings}
    assert not kinds & {"misfit", "suspicion", "floor", "few steps", "ignored"}
    _, *told = summary(run).splitlines()
    assert not [line for line in told if "latent dimensions are active" not in line]  # of columns that one may explain


def test_few_steps_are_told(half_zero):
    (found,) = of_steps(half_zero.config, N)
    assert found.text.startswith("only 80 gradient steps in all")  # 20 epochs of ⌈400 / 100⌉
    assert str(found) in summary(half_zero)
    assert of_steps({"outcome": {"epochs": 125}, "training": {"batch_size": 100}}, N) == []
    assert of_steps({"outcome": {"epochs": None}, "training": {"batch_size": 100}}, N) == []


def test_latents_that_are_not_used_are_told():
    assert of_latents(torch.tensor([True, True])) == []
    (some,) = of_latents(torch.tensor([True, False]))
    assert (some.text, some.is_warning) == ("1 of 2 latent dimensions are active", False)
    (none,) = of_latents(torch.tensor([False] * 8))
    assert none.is_warning
    assert none.text.startswith("0 of 8 latent dimensions are active: the decoder ignores z")
    assert none.text.endswith("nothing below a level (objective elbo:free=0.1)")


def test_a_model_whose_guide_is_constant_uses_no_latent(half_zero, tmp_path):
    run = train_run("normal", half_zero.data, tmp_path / "idle", epochs=1, **SMALL)
    with torch.no_grad():
        for parameter in run.guide.parameters():
            parameter.zero_()
    assert any(one.kind == "ignored" for one in evaluate_run(run, **QUIET).findings)
    assert "0 of 2 latent dimensions are active" in summary(run)


def test_a_floor_is_told_where_it_decides():
    assert of_floor(None) == of_floor(0.0) == []
    (found,) = of_floor(0.91)
    assert found.text.startswith("91 % of the scales σ are near their floor")


@pytest.mark.parametrize(("text", "is_told"), [("normal", True), ("zero-inflated:inner=normal", False)])
def test_a_mass_at_zero_is_no_spike(text, is_told):
    data = load(HALF_ZERO)
    assert bool(of_data(data, make_observation(text, data))) is is_told


def test_many_suspicions_are_counted():
    x = REAL.repeat(4, 1)
    for d in range(1, 9):
        x[:: 10 + d, d] = -999 if d % 2 else -99  # few, far outside
    x[:, 10:13] = x[:, 9:10]
    x[:, 14] = np.arange(N)
    x[:, 15] = 3.0
    x[1, :], x[390, :] = x[0, :], x[0, :]
    found = of_data(load(x[:90]), make_observation("normal", load(x[:90])))
    assert len(found) == MOST + 1
    assert found[-1].text.endswith("further remarks on the data: obsvae.suspicions_of(data) lists them")


def test_train_tells_on_standard_error(tmp_path):
    np.save(tmp_path / "x.npy", HALF_ZERO)
    arguments = ["--data", "x.npy", "--latent", "2", "--hidden", "8", "--epochs", "1"]
    done = command("train", *arguments, "--observation", "normal", "--out", "a", cwd=tmp_path)
    assert done.stderr.splitlines()[0].startswith("warning: ")
    assert "a density gives that no mass" in done.stderr
    assert "warning: only 4 gradient steps in all" in done.stdout
    other = command("train", *arguments, "--observation", "zero-inflated:inner=normal", "--out", "b", cwd=tmp_path)
    assert "a density gives" not in other.stderr


def test_comparisons_tell_of_floors_and_latents(tmp_path):
    settings = {"latent": 2, "hidden": (8,), "epochs": 1, "batch_size": 100, "particles": 20, "progress": False}
    arguments = (["normal", "laplace"], load(REAL))
    before = compare(*arguments, seeds=1, out=tmp_path / "cmp", **settings)
    assert not any("floor" in str(one) for one in before.remarks)
    file = tmp_path / "cmp/laplace/seed-0/result.json"
    result = json.loads(file.read_text())
    assert result["scores"][""]["common"]["near_floor"] == 0
    assert result["active_latents"] in (0, 1, 2)
    result["scores"][""]["common"]["near_floor"], result["active_latents"] = 0.91, 0
    file.write_text(json.dumps(result))
    said = [str(one) for one in compare(*arguments, seeds=1, out=tmp_path / "cmp", **settings).remarks]
    assert any("near their floor" in one and "laplace (91%)" in one and "normal" not in one for one in said)
    assert any("No latent dimension is active" in one and "laplace" in one for one in said)
