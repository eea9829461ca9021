"""What a run is judged by, what is said of its numbers, and what is kept of each datum."""

import csv
import dataclasses
import json
import math
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pyro.distributions as dist
import pytest
import torch
import xarray as xr

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments import bracket_run, evaluate_run, make_pair, particle_curves, score, train_run
from obsvae.experiments.evaluation.findings import (
    Finding,
    cut_short,
    doubtful,
    in_words,
    of_columns,
    of_conditions,
    trust,
)
from obsvae.experiments.evaluation.headline import headlines, preferred
from obsvae.experiments.evaluation.judged import judge
from obsvae.experiments.evaluation.per_datum import per_datum_file, read_per_datum, save_per_datum
from obsvae.experiments.evaluation.tables import table
from obsvae.experiments.use.column_scores import ColumnScores
from obsvae.inference import (
    Amortised,
    Annealed,
    LogLikelihood,
    Proposal,
    Refined,
    diagnose,
    elbo,
    log_likelihood,
)
from obsvae.model import Measure, Observation
from obsvae.model.observations.support import REAL_LINE

SMALL = {"latent": 2, "hidden": (8,), "epochs": 2, "batch_size": 20, "progress": False}
QUIET = {"particles": 40, "progress": False}


@pytest.mark.slow
def test_a_judge_that_is_none_costs_no_estimate(tmp_path):
    run = train_run("normal", load("digits"), tmp_path / "run", **SMALL)
    file = per_datum_file(run.folder, "test", "ais")
    annealing = {"particles": 2, "limit": 4, "check": 0, "progress": False}
    evaluate_run(run, proposal=Annealed(temperatures=4, most=4, start=Refined()), **annealing)
    kinds = {found.kind: found.text for found in evaluate_run(run, limit=4, check=0, **QUIET).findings}
    assert "knows their modes alone" in kinds["no reference"]
    file.write_text("garbage")
    found = evaluate_run(run, limit=4, check=0, **QUIET)
    assert any("does not hold estimates by datum" in finding.text for finding in found.findings)
    assert per_datum_file(run.folder, "test", "refined") in found.files


class Cauchy(Observation):
    """A density of the user's own, whose mass of an interval nobody has registered."""

    outputs = 1
    measure = Measure.LEBESGUE
    support = REAL_LINE

    def forward(self, eta):
        return dist.Cauchy(eta.squeeze(-1), 1.0)

    def mean(self, eta):
        return eta.squeeze(-1)


@pytest.fixture(scope="module")
def pairs(counts):
    """Return pairs for whole numbers, untrained, by observation."""
    names = ("normal", "poisson", "dequantised:inner=normal", "zero-inflated:inner=gamma")
    return {name: make_pair(name, counts, latent=2, hidden=(8,)) for name in names}


@pytest.fixture(scope="module")
def run(counts, tmp_path_factory):
    """Return a run whose density is not its headline; tests may write to its folder."""
    return train_run("normal", counts, tmp_path_factory.mktemp("trained") / "run", **SMALL)


@pytest.mark.parametrize(
    ("name", "measure", "own"),
    [
        ("normal", "mass", "density"),
        ("poisson", "mass", None),
        pytest.param("dequantised:inner=normal", "mass", "mass, a lower bound", marks=pytest.mark.slow),
        ("zero-inflated:inner=gamma", "mass", "density with a mass at 0"),
    ],
)
def test_on_a_grid_the_headline_is_the_mass_of_its_cells(name, measure, own, pairs, counts):
    model, guide = pairs[name]
    (found,) = headlines(model, counts)
    assert (found.measure, found.note) == (measure, "")
    assert not found.model.is_bound
    judged = judge(found, guide, counts.test, proposal=Refined(), **QUIET)
    titles = list(judged.columns(name))
    assert titles == ([name] if own is None else [f"{name} ({measure})", f"{name} ({own})"])
    assert (judged.own is None) is (own is None)
    assert judged.summary["nats_per_datum"] < 0
    assert judged.summary["elbo"] < judged.summary["nats_per_datum"]


def test_without_a_grid_the_headline_is_the_measure_that_was_trained_by(pairs, counts):
    model, _ = pairs["normal"]
    (found,) = headlines(model, dataclasses.replace(counts, grid=None))
    assert found.model is model
    assert found.own is None


def test_a_density_whose_mass_is_not_known_is_its_own_headline_with_a_remedy(pairs, counts):
    model, _ = make_pair(Cauchy(), counts, latent=2, hidden=(8,))
    (found,) = headlines(model, counts)
    assert (found.model, found.own, found.measure) == (model, None, "density")
    assert "may not be ranked against a mass" in found.note
    assert "log_interval_mass.register" in found.note


def test_angles_that_stand_for_two_values_have_the_density_for_a_headline_with_a_remedy():
    data = load(np.arange(0, 361).reshape(-1, 1), bounds=(0, 360))
    model, _ = make_pair("von-mises", data, latent=2, hidden=(8,))
    (found,) = headlines(model, data)
    assert (found.model, found.own, found.measure) == (model, None, "density")
    assert "angles repeat after 360" in found.note
    data = load(np.arange(0, 360).reshape(-1, 1), bounds=(0, 360))
    (found,) = headlines(model, data)
    assert (found.measure, found.note) == ("mass", "")


def test_a_loss_is_judged_by_its_corrections_and_one_is_preferred(in_memory):
    data = load(np.random.default_rng(0).integers(0, 5, size=(60, 3)), bounds=(0, 4))
    model, _ = make_pair("unnormalised-bernoulli", data, latent=2, hidden=(8,))
    found = headlines(model, data)
    assert [one.name for one in found] == ["as it stands", "mean matched"]
    assert [one.measure for one in found] == ["mass", "mass"]
    assert all(one.own is not None for one in found)
    assert preferred(found).name == "mean matched"


def test_the_own_measure_has_the_numbers_of_the_likelihood_itself(pairs, counts):
    model, guide = pairs["normal"]
    (found,) = headlines(model, counts)
    judged = judge(found, guide, counts.test, 40, Refined(), seed=3, progress=False)
    own = log_likelihood(model, guide, counts.test, 40, seed=3, progress=False).summary()
    assert judged.own.items() >= own.items()
    assert judged.own["measure"] == "density"
    assert judged.own["elbo"] == pytest.approx(elbo(model, guide, counts.test, seed=3).mean())
    assert judged.summary["elbo"] == pytest.approx(elbo(found.model, guide, counts.test, seed=3).mean())
    assert judged.likelihood.log_weights is None


def test_a_bound_that_annealing_cannot_take_is_left_out_and_said_to_be(pairs, counts):
    model, guide = pairs["dequantised:inner=normal"]
    (found,) = headlines(model, counts)
    judged = judge(found, guide, counts.test, 4, Annealed(3), progress=False)
    assert judged.own is None
    assert math.isfinite(judged.summary["nats_per_datum"])
    (said,) = judged.findings
    assert said.kind == "measure"
    assert "not scored as it was trained: annealing needs" in said.text


def test_a_score_has_its_measure_and_keeps_what_is_asked_for(pairs, counts):
    model, guide = pairs["poisson"]
    found = score(model, guide, counts.test, 40, Amortised(), keep=3, keep_particles=2, progress=False)
    assert found.summary.items() >= {"measure": "mass", "is_bound": False, "particles": 40}.items()
    assert found.summary["seconds"] > 0
    assert found.likelihood.log_weights.shape == (40, 3)
    assert found.likelihood.z.shape[:2] == (40, 2)


def test_a_point_mass_has_no_elbo(counts):
    model, guide = make_pair("poisson", counts, latent=2, hidden=(8,), guide="delta")
    (found,) = headlines(model, counts)
    judged = judge(found, guide, counts.test, 40, Refined(), progress=False)
    assert judged.summary["elbo"] is None
    line = next(line for line in table(judged.columns("poisson")).splitlines() if "ELBO" in line)
    assert line.endswith("–")


def likelihood_of(log_weights, **changes):
    K, N = log_weights.shape
    return LogLikelihood(diagnose(log_weights), log_weights.mean(0), K, np.full(N, K), 4, "refined", **changes)


def test_data_without_an_estimate_are_named_by_datum_and_row_with_a_remedy():
    log_weights = np.zeros((40, 3))
    log_weights[:, 1] = -np.inf
    (lost,) = doubtful(likelihood_of(log_weights), np.array([7, 41, 12]))
    assert (lost.kind, lost.data, lost.is_warning) == ("lost", (1,), True)
    assert lost.text.startswith("no estimate for datum 1 (row 41):")
    assert "take an observation with heavier tails" in lost.text


@pytest.mark.parametrize(
    ("is_bound", "remedy"), [(False, "ask someone who knows"), (True, "take more particles")], ids=["exact", "bound"]
)
def test_flagged_data_are_named_with_the_remedy_of_their_proposal(is_bound, remedy):
    log_weights = np.zeros((40, 2))
    log_weights[0, 0] = 50.0
    (flagged,) = doubtful(likelihood_of(log_weights, remedy="ask someone who knows"), np.array([3, 5]), is_bound)
    assert (flagged.kind, flagged.data) == ("flagged", (0,))
    assert flagged.text.endswith(f"datum 0 (row 3); {remedy}")


def test_what_khat_says_is_told_once_for_all_that_it_is_said_of():
    found = trust({"a": 0.0, "b": 0.25, "c": math.nan, "d": 0.5, "e": 0.0})
    assert [one.kind for one in found] == ["unknown", "distrusted", "trusted"]
    assert "k̂ > 0.7 in 25.0 % of the data for b and 50.0 % of the data for d: there" in found[1].text
    assert "for every datum in a and e: the weights give no reason" in found[2].text
    assert [str(one).startswith("warning: ") for one in found] == [True, True, False]


@pytest.mark.parametrize(
    ("stopped", "is_improving", "kinds"),
    [
        ("finished", False, []),
        ("finished", True, ["not converged"]),
        ("patience", False, []),
        ("unfinished", None, ["cut short"]),
        ("interrupted", False, ["cut short"]),
        ("diverged at step 7", False, ["cut short"]),
    ],
)
def test_training_that_did_not_come_to_its_end_is_told(stopped, is_improving, kinds):
    outcome = {"stopped": stopped, "epochs": 3} | ({} if is_improving is None else {"is_improving": is_improving})
    assert [one.kind for one in cut_short(outcome)] == kinds


def test_a_long_list_of_data_is_cut():
    assert in_words(np.arange(23), most=2) == "datum 0, 1 and 21 more"
    assert in_words([4], np.array([9] * 5)) == "datum 4 (row 9)"


def test_estimates_come_back_with_rows_and_measure(tmp_path):
    file = per_datum_file(tmp_path, "test", "refined")
    log_weights = np.random.default_rng(0).normal(size=(40, 3))
    found = likelihood_of(log_weights)
    save_per_datum(file, found, np.array([8, 2, 5]), "mass", Refined())
    again = read_per_datum(file)
    assert again.rows.tolist() == [8, 2, 5]
    assert again.measure == "mass"
    np.testing.assert_array_equal(again.log_likelihood, found.weights.estimate)
    np.testing.assert_array_equal(again.flagged, found.weights.flagged)
    with file.open() as text:
        assert all(row["proposal"].startswith("refined: starts=") for row in csv.DictReader(text))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"datum,log_likelihood\n",
        b"datum,row,log_likelihood,standard_error,flagged,measure\n",
        b"datum,log_likelihood,standard_error,flagged,measure\n0,-1,0.1,0,mass\n",  # no row
        b"datum,row,log_likelihood,standard_error,flagged\n0,7,-1,0.1,0\n",  # no measure
        b"datum,row,log_likelihood,standard_error,flagged,measure\n0,7,-1,0.1,0,mass\n1,8,-1,0.1,0,density\n",
        b"datum,row,log_likelihood,standard_error,flagged,measure\n0,7,x,0.1,0,mass\n",
        b"\xff\xfe",
    ],
)
def test_a_file_without_estimates_is_refused(content, tmp_path):
    file = tmp_path / "test-ais.csv"
    file.write_bytes(content)
    with pytest.raises(UsageError, match="does not hold estimates by datum; remove it, or make it anew"):
        read_per_datum(file)


class OfTheGuide(Proposal):
    """A proposal of the user's own, without settings."""

    name: ClassVar[str] = "mine"
    remedy: ClassVar[str] = "ask its author"

    def __call__(self, joint):
        return Amortised()(joint)


def test_a_run_is_evaluated_from_python_by_a_proposal_of_ones_own(run, counts):
    found = evaluate_run(run, proposal=OfTheGuide(), particles=5, progress=False)
    metrics = json.loads((run.folder / "metrics.json").read_text())
    assert metrics["proposal"] == "mine"
    assert metrics["proposal_settings"] == {}
    assert (metrics["measure"], metrics["own_measure"]["measure"]) == ("mass", "density")
    assert metrics["nats_per_datum"] == pytest.approx(found.metrics["nats_per_datum"])
    flagged = next(one for one in found.findings if one.kind == "flagged")
    assert flagged.text.endswith("; ask its author")
    assert f"datum 0 (row {int(counts.rows['test'][0])})" in flagged.text
    estimates = read_per_datum(per_datum_file(run.folder, "test", "mine"))
    assert estimates.rows.tolist() == counts.rows["test"].tolist()
    with xr.open_datatree(run.folder / "posterior.nc", engine="h5netcdf") as tree:
        assert tree["constant_data"]["row"].values.tolist() == counts.rows["test"].tolist()
        marginal = float(tree["sample_stats"]["log_marginal_likelihood"].mean())
    assert marginal == pytest.approx(metrics["nats_per_datum"])
    assert found.table().splitlines()[0].split()[-4:] == ["normal", "(mass)", "normal", "(density)"]


@dataclasses.dataclass(frozen=True, eq=False)
class Shifted(OfTheGuide):
    """A proposal whose settings JSON does not know."""

    shift: torch.Tensor
    start: Proposal
    sizes: tuple[int, ...] = (1, 2)


def test_settings_that_json_does_not_know_are_kept_as_text(run):
    shift = torch.zeros(2, requires_grad=True) * 2
    evaluate_run(run, proposal=Shifted(shift, Amortised()), particles=5, limit=3, progress=False)
    settings = json.loads((run.folder / "metrics.json").read_text())["proposal_settings"]
    assert settings == {"shift": repr(shift), "start": {}, "sizes": [1, 2]}


@pytest.mark.parametrize("changed", [{"particles": 0}, {"limit": -3}, {"limit": 0}, {"seed": -1}, {"memory": 0.5}])
def test_numbers_that_are_not_whole_are_refused_before_any_scoring(changed, run):
    ((name, value),) = changed.items()
    words = rf"{name} needs to be a whole number of at least [01], but got {value}"
    with pytest.raises(UsageError, match=words):
        evaluate_run(run, **{**QUIET, **changed})


def test_the_curve_takes_annealing_of_the_same_data_and_measure_alone(run, counts):
    file = per_datum_file(run.folder, "test", "ais")
    file.unlink(missing_ok=True)
    few = {"particles": 40, "limit": 4, "progress": False}
    assert [one.kind for one in particle_curves(run, **few).findings] == ["no reference"]
    likelihood = log_likelihood(run.model, run.guide, counts.test[:3], 40, progress=False)
    rows = counts.rows["test"][:3].numpy()
    for spoilt, measure, words in (
        (rows, "density", "another measure (density, where mass is needed)"),
        (rows + 1, "mass", "is of other data"),
    ):
        save_per_datum(file, likelihood, spoilt, measure, Annealed())
        found = particle_curves(run, **few)
        assert found.reference is None
        assert found.n == 4
        assert words in found.findings[0].text
        assert "proposal=Annealed()" in found.findings[0].text
    save_per_datum(file, likelihood, rows, "mass", Annealed())
    found = particle_curves(run, **few)
    assert (found.n, found.findings) == (3, [])
    assert found.reference.mean == pytest.approx(likelihood.weights.estimate.mean())
    assert "means over 3 data" in found.text()
    assert {summary["measure"] for summary in found.summaries.values()} == {"mass"}


def test_simulated_data_are_bracketed_by_the_measure_of_the_headline(run, tmp_path):
    found = bracket_run(run, 3, particles=4, proposal=Annealed(3), others=40, progress=False)
    assert found.measure == "mass"
    assert torch.equal(found.bounds.x, found.bounds.x.round())  # on the grid
    assert set(found.estimates) == {"amortised", "refined"}
    with found.save(tmp_path / "simulated.csv").open() as text:
        assert [row["measure"] for row in csv.DictReader(text)] == ["mass"] * 3


def test_a_finding_says_how_serious_it_is():
    assert str(Finding("cut short", "x")) == "warning: x"
    assert str(Finding("replaced", "x")) == "note: x"
    assert str(Finding("trusted", "x")) == "x"


def test_columns_of_which_the_model_says_less_than_their_marginals_are_named():
    rng = np.random.default_rng(0)
    n = 200
    marginal = rng.normal(-1, 0.1, (n, 3))
    log_p = marginal + np.array([0.5, -0.5, -0.01]) + 0.3 * rng.normal(size=(n, 3))
    conditional = SimpleNamespace(log_probability=log_p, flagged=np.zeros((n, 3), bool))
    found = ColumnScores(("a", "b", "c"), conditional, marginal, dict.fromkeys("abc", "density"))
    assert found.behind == ("b",)
    few = ColumnScores(
        ("a", "b", "c"),
        SimpleNamespace(log_probability=log_p[:9], flagged=np.zeros((9, 3), bool)),
        marginal[:9],
        found.measures,
    )
    assert few.behind == ()
    (told,) = of_columns(found.behind)
    assert str(told).startswith("warning: of b the model says less")
    assert of_columns(()) == []


def test_numbers_that_are_conditional_are_told_so():
    assert of_conditions([]) == []
    (told,) = of_conditions(["sex", "age"])
    assert str(told).startswith("note: the numbers are of p(x | sex, age)")
