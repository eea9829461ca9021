"""A run with conditions: trained, resumed, evaluated, put to use, and what is refused."""

import numpy as np
import pandas as pd
import pytest
import torch

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments import evaluate_run, load_run, resume_run, train_run
from obsvae.experiments.use.rows import rows_for
from obsvae.experiments.use.scores import score_rows
from obsvae.experiments.use.values import encode_rows, impute_rows, reproduce_rows, sample_rows

QUICK = {"particles": 50, "progress": False}


def frame(n, seed=0):
    """Return lengths that depend on the site, by 30, and on the dose; and a column that depends on neither."""
    g = np.random.default_rng(seed)
    site, dose, z = g.choice(["north", "south"], n), g.normal(5.0, 2.0, n), g.normal(size=n)
    length = 100.0 + 30.0 * (site == "south") + 2.0 * (dose - 5.0) + z
    return pd.DataFrame({"length": length, "width": z + 0.1 * g.normal(size=n), "site": site, "dose": dose})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a run on a table, from its file."""
    folder = tmp_path_factory.mktemp("conditions")
    frame(400).to_csv(folder / "table.csv", index=False)
    data = load(folder / "table.csv", conditions=["site", "dose"])
    how = {"latent": 2, "hidden": [16], "epochs": 20, "batch_size": 50, "lr": 2e-2, "compiled": False}
    train_run("by-column", data, folder / "run", **how, progress=False)
    return load_run(folder / "run")


def test_draws_follow_the_conditions(run):
    south, north = (sample_rows(run, 300, given={"site": site, "dose": 5.0}) for site in ("south", "north"))
    assert south["length"].mean() - north["length"].mean() == pytest.approx(30.0, abs=4.0)
    assert set(south) == {"length", "width"}


def test_rows_are_encoded_as_those_of_training_whatever_the_order_of_columns(run):
    table = frame(20, seed=1)
    rows = rows_for(run, table[["dose", "width", "site", "length"]])
    dose = run.data.conditions[1]
    expected = (table["dose"].to_numpy() - dose.mean) / dose.spread
    assert np.allclose(rows.c[:, 2].numpy(), expected, atol=1e-5)
    assert torch.equal(rows.c[:, 1], torch.tensor((table["site"] == "south").to_numpy(), dtype=torch.float32))
    assert rows.ignored == ()


def test_scores_know_the_conditions(run):
    table = frame(20, seed=1)
    other = table.assign(site=np.where(table["site"] == "south", "north", "south"))
    right, wrong = (
        score_rows(run, rows_for(run, one), reference=0, by_column=False, **QUICK).weights.estimate
        for one in (table, other)
    )
    assert (right - wrong).min() > 3.0


def test_a_value_for_all_rows_stands_in_the_place_of_a_column(run):
    table = frame(5, seed=1)
    given = rows_for(run, table.drop(columns="site"), given={"site": "south"})
    assert torch.equal(given.c, rows_for(run, table.assign(site="south")).c)


def test_filled_entries_follow_the_conditions(run):
    table = frame(40, seed=1)
    filled = impute_rows(run, rows_for(run, table.assign(length=np.nan)), 2, **QUICK)
    found = np.array(filled.point["length"])
    is_south = (table["site"] == "south").to_numpy()
    assert found[is_south].mean() - found[~is_south].mean() == pytest.approx(30.0, abs=4.0)
    assert filled.point["site"] == table["site"].tolist()
    made = reproduce_rows(run, rows_for(run, table), **QUICK)["length"]
    assert np.abs(made - table["length"].to_numpy()).mean() < 4.0
    assert len(encode_rows(run, rows_for(run, table), **QUICK)["z1"]) == 40


@pytest.mark.slow
def test_columns_are_scored_given_the_others_and_the_conditions(run):
    found = evaluate_run(run, check=10, limit=20, **QUICK)
    table = {line["column"]: line for line in found.by_column.table()}
    assert table["length"]["gain"] > 1.0
    assert found.metrics["missed_mass"]["n"] == 10


def test_a_training_goes_on_as_if_it_had_never_ended(tmp_path):
    data = load(frame(120), conditions=["site"])
    how = {"latent": 1, "hidden": [8], "compiled": False, "progress": False}
    whole = train_run("by-column", data, tmp_path / "whole", epochs=4, **how)
    train_run("by-column", data, tmp_path / "parts", epochs=2, **how)
    resumed = resume_run(tmp_path / "parts", data=data, epochs=4, progress=False)
    assert [e.validation_elbo for e in resumed.history] == [e.validation_elbo for e in whole.history]
    without = load(frame(120), schema={"columns": {"site": {"role": "ignore"}}})
    with pytest.raises(UsageError, match=r"conditions was .* and is None now; load them as they were"):
        load_run(tmp_path / "whole", data=without)


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (lambda run: sample_rows(run, 3), r"condition 'site', which .* lack; .*given=\{'site': 'north'\}"),
        (lambda run: sample_rows(run, 3, given={"site": "east", "dose": 1}), "'north', 'south'; got 'east'"),
        (lambda run: sample_rows(run, 3, given={"site": "north", "dose": "much"}), "'dose' needs a number; got 'much'"),
        (lambda run: sample_rows(run, 3, given={"cite": "north"}), "unknown condition 'cite'; did you mean 'site'"),
        (lambda run: rows_for(run, frame(5).drop(columns="dose")), "lacks column 'dose', a condition of the model"),
        (lambda run: rows_for(run, frame(5).assign(site="east")), "needs one of its levels, 'north', 'south'; row 0"),
        (
            lambda run: rows_for(run, frame(5).assign(dose=[1, 2, np.nan, 4, 5])),
            "'dose': a condition may not be .* row 2",
        ),
    ],
)
def test_what_does_not_fit_is_refused(run, attempt, words):
    with pytest.raises(UsageError, match=words):
        attempt(run)


def test_a_run_without_conditions_takes_none(tmp_path):
    how = {"latent": 1, "hidden": [8], "epochs": 1, "compiled": False, "progress": False}
    run = train_run("by-column", load(frame(60)[["length", "width"]]), tmp_path / "run", **how)
    with pytest.raises(UsageError, match="the model has no conditions, but got a value of 'site'"):
        sample_rows(run, 3, given={"site": "north"})


def test_images_are_drawn_by_their_label(tmp_path):
    data = load("digits", conditions=["label"])
    how = {"latent": 2, "hidden": [8], "epochs": 2, "compiled": False, "progress": False}
    run = train_run("normal", data, tmp_path / "run", **how)
    assert sample_rows(run, 4, given={"label": 3}).shape == (4, 8, 8)
    rows = rows_for(run, data.test[:3].numpy(), given={"label": "3"})
    assert rows.c.argmax(1).tolist() == [3, 3, 3]
    with pytest.raises(UsageError, match="condition 'label', which the rows of the array lack"):
        rows_for(run, data.test[:3].numpy())
