"""What evaluation writes for ArviZ: by which measure, of which data, and that ArviZ works on it."""

import arviz as az
import numpy as np
import pytest
import torch

from obsvae.data import load
from obsvae.experiments import evaluate_run, train_run
from obsvae.inference import compare_trees
from obsvae.model import MeasureMismatch, on_grid

SMALL = {"latent": 2, "hidden": (8,), "epochs": 2, "batch_size": 20, "progress": False}
QUIET = {"particles": 200, "limit": 20, "progress": False}


def written(run):
    evaluate_run(run, **QUIET)
    return az.from_netcdf(run.folder / "posterior.nc")


@pytest.fixture(scope="module")
def trees(counts, tmp_path_factory):
    """Return, by observation, runs of data on a grid and the trees that their evaluation writes."""
    names = ("normal", "poisson")
    runs = {name: train_run(name, counts, tmp_path_factory.mktemp("trained") / name, **SMALL) for name in names}
    return {name: (run, written(run)) for name, run in runs.items()}


def test_the_log_likelihood_on_a_grid_is_the_mass_of_its_cells(trees, counts):
    run, tree = trees["normal"]
    masses = run.model.with_observation(on_grid(run.model.observation, counts.grid))
    z = torch.from_numpy(tree["posterior"]["z"].values)
    x = torch.from_numpy(tree["observed_data"]["x"].values).float()
    with torch.no_grad():
        expected = masses.given(z).log_prob(x).numpy()
    np.testing.assert_allclose(tree["log_likelihood"]["x"].values, expected, rtol=1e-5, atol=1e-6)
    assert tree.attrs["measure"] == tree["log_likelihood"].attrs["measure"] == "mass"


def test_the_file_names_its_data_and_their_grid(trees, counts):
    run, tree = trees["normal"]
    told = {
        "observation": "normal",
        "data": counts.name,
        "data_sha256": run.config["data_sha256"],
        "split": "test",
        "grid_low": counts.grid.low,
        "grid_step": counts.grid.step,
        "grid_levels": counts.grid.levels,
        "unit": "nats",
        "data_unit": "data units",
    }
    assert {name: tree.attrs[name] for name in told} == told


@pytest.mark.filterwarnings("ignore:Estimated shape parameter")
def test_arviz_works_on_what_is_written(trees):
    both = {name: tree for name, (_, tree) in trees.items()}
    assert compare_trees(both)["rank"].tolist() == [0, 1]
    assert set(az.compare(both).index) == set(both)
    for tree in both.values():
        assert az.loo(tree).n_data_points == tree["observed_data"]["x"].size
        assert np.isfinite(az.loo_pit(tree)["x"].values).all()
        assert len(az.psense_summary(tree.isel(datum=[0]))) == 2


def test_densities_do_not_compare_with_the_masses_of_a_grid(trees, tmp_path):
    data = load(np.random.default_rng(0).normal(size=(60, 3)))
    tree = written(train_run("normal", data, tmp_path / "run", **SMALL))
    assert tree.attrs["measure"] == "density"
    assert "grid_step" not in tree.attrs
    with pytest.raises(MeasureMismatch, match=r"a mass \(counts\) against a density \(reals\) cannot be ranked"):
        compare_trees({"counts": trees["normal"][1], "reals": tree})
