"""Trees of tables: columns by name, with their measures, and what is not ranked."""

import json
from dataclasses import replace

import arviz as az
import numpy as np
import pytest
import torch
import xarray as xr

from obsvae.errors import UsageError
from obsvae.experiments import evaluate_run, make_pair, train_run
from obsvae.experiments.files import save_datatree
from obsvae.inference import Amortised, by_value, compare_trees, to_arviz
from obsvae.model import MeasureMismatch, on_grid
from tests.tables import COLUMNS, mixed

NAMES = [column.name for column in COLUMNS]
WITH_COLUMNS = ("posterior_predictive", "log_likelihood", "guide_log_likelihood", "prior_predictive", "observed_data")


def exported(data, masses=False, **settings):
    model, guide = make_pair("by-column", data, latent=2, hidden=[8], seed=0)
    model.initialise(data.train)
    guide.initialise(data.train)
    if masses:
        model = model.with_observation(on_grid(model.observation, data.grids))
    names = [column.name for column in data.columns]
    return to_arviz(model, guide, data.test[:6], columns=names, draws=30, particles=100, progress=False, **settings)


def test_features_are_columns_by_name_and_read_back(tmp_path):
    data = mixed(100)
    tree = exported(data, masses=True)
    save_datatree(tmp_path / "posterior.nc", tree)
    with xr.open_datatree(tmp_path / "posterior.nc", engine="h5netcdf") as read:
        for found in (tree, read):
            for group in WITH_COLUMNS:
                assert found[group]["column"].values.tolist() == NAMES
            assert "column" not in found["posterior"].dims
            measures = json.loads(found.attrs["measure_by_column"])
            assert measures["price"] == "density"
            assert measures["weight"] == measures["colour"] == "mass"
            assert measures["rain"] == "density with a mass at 0"
            assert found["log_likelihood"].attrs["measure_by_column"] == found.attrs["measure_by_column"]
        assert all(group.to_dataset().equals(read[name].to_dataset()) for name, group in tree.children.items())
    missing = torch.isnan(data.test[:6]).numpy()
    assert missing.any()
    np.testing.assert_array_equal(np.isnan(tree["observed_data"]["x"].values), missing)
    assert (tree["log_likelihood"]["x"].values[..., missing] == 0).mean() > 0.95  # one draw of each is set apart
    assert np.isfinite(tree["posterior_predictive"]["x"].values).all()


@pytest.mark.filterwarnings("ignore:Estimated shape parameter", "ignore:This plot always uses")
def test_arviz_takes_one_column_by_name():
    tree = exported(mixed(100, missing=0.0))
    one = by_value(tree.sel(column=["weight"]))
    assert one["observed_data"]["x"].shape == (6,)
    az.plot_ppc_pit(one, group="prior_predictive")
    assert az.loo(tree).n_data_points == 6 * len(NAMES)


def test_names_of_another_number_of_columns_are_refused():
    data = mixed(100)
    model, guide = make_pair("by-column", data, latent=2, hidden=[8])
    with pytest.raises(UsageError, match=r"a table of 2 columns needs shape \(rows, 2\); got \(30?, 11\)"):
        to_arviz(model, guide, data.test[:3], columns=["a", "b"])


def test_a_column_of_another_measure_or_grid_is_named():
    data = mixed(100, missing=0.0)
    density, mass = exported(data), exported(data, masses=True)
    with pytest.raises(MeasureMismatch, match=r"column 'weight' is a density \(a\) and a mass \(b\).*schema of both"):
        compare_trees({"a": density, "b": mass})
    assert len(compare_trees({"a": density, "b": density})) == 2
    steps = []
    for step in (1.0, 2.0):
        grid = replace(COLUMNS[8].grid, step=step)
        steps.append(mass.copy())
        steps[-1].attrs = {**mass.attrs, "columns": json.dumps({"weight": {"grid": {"step": grid.step}}})}
    with pytest.raises(MeasureMismatch, match=r"column 'weight' is a mass of cells .*1\.0.* and a mass .*2\.0"):
        compare_trees(dict(zip("ab", steps, strict=True)))


@pytest.mark.slow
def test_what_evaluate_writes_tells_of_each_column(tmp_path):
    data = replace(mixed(100), row_names=tuple(f"row-{i}" for i in range(100)))
    run = train_run("by-column", data, tmp_path / "run", latent=2, hidden=(8,), epochs=1, progress=False)
    found = evaluate_run(run, proposal=Amortised(), particles=20, check=0, progress=False)
    assert found.metrics["measure_by_column"]["weight"] == "mass"
    assert json.loads((run.folder / "metrics.json").read_text())["measure_by_column"] == json.loads(
        az.from_netcdf(run.folder / "posterior.nc").attrs["measure_by_column"]
    )
    (flagged,) = [one for one in found.findings if one.kind == "flagged"]
    first = flagged.data[0]
    assert f"datum {first} (row row-{data.rows['test'][first]})" in flagged.text
    with xr.open_datatree(run.folder / "posterior.nc", engine="h5netcdf") as tree:
        columns = json.loads(tree.attrs["columns"])
        codes = tree["observed_data"]["x"].sel(column="colour").values
        assert [columns["colour"]["levels"][int(code)] for code in codes if code == code] == [
            COLUMNS[6].levels[int(code)] for code in data.test[:, 6] if code == code
        ]
    assert columns["wind"]["unit"] == "degrees"
    assert columns["grade"]["kind"] == "ordinal"
