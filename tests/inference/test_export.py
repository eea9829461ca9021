"""From results to an ArviZ DataTree, and to netCDF and back."""

import numpy as np
import pytest
import torch
import xarray as xr

from guides import AmortisedNormal, MLPEncoder
from inference import log_likelihood, posterior, save_datatree, to_datatree
from model import VAE, MLPDecoder, Normal, StandardNormal


@pytest.fixture
def results(linear_gaussian):
    problem = linear_gaussian()
    x = problem.draw(6)
    likelihood = log_likelihood(problem.model, problem.guide, x, 40, progress=False)
    labels = {"label": torch.arange(6) % 3, "year": torch.linspace(1900, 2000, 6)}
    return problem, x, likelihood, labels


def check(tree, x, likelihood, labels, draws):
    assert set(tree.children) == {"posterior", "sample_stats", "log_likelihood", "observed_data", "constant_data"}
    assert dict(tree["posterior"].sizes) == {"sample": draws, "datum": 6, "latent": 2}
    assert tree["posterior"]["z"].dims == ("sample", "datum", "latent")
    assert tree["observed_data"]["x"].dims == ("datum", "feature_0")
    np.testing.assert_array_equal(tree["observed_data"]["x"].values, x.numpy())
    np.testing.assert_array_equal(tree["log_likelihood"]["x"].values, likelihood.weights.estimate)
    assert tree["log_likelihood"]["x"].dims == ("datum",)
    assert tree["log_likelihood"].attrs["particles"] == 40
    for name in ("standard_error", "ess", "khat"):
        np.testing.assert_array_equal(tree["sample_stats"][name].values, getattr(likelihood.weights, name))
    for name, value in labels.items():
        np.testing.assert_array_equal(tree["constant_data"][name].values, value.numpy())
    for group in tree.children.values():
        np.testing.assert_array_equal(group["datum"].values, np.arange(6))


def test_groups_dimensions_and_values(results):
    problem, x, likelihood, labels = results
    check(to_datatree(problem.guide, x, likelihood, labels, draws=7), x, likelihood, labels, 7)


def test_netcdf_and_back(results, tmp_path):
    problem, x, likelihood, labels = results
    tree = to_datatree(problem.guide, x, likelihood, labels, draws=7)
    save_datatree(tmp_path / "posterior.nc", tree)
    with xr.open_datatree(tmp_path / "posterior.nc", engine="h5netcdf") as found:
        check(found, x, likelihood, labels, 7)
        np.testing.assert_array_equal(found["posterior"]["z"].values, tree["posterior"]["z"].values)
        assert "unweighted" in found["posterior"].attrs["drawn_from"]


def test_draws_are_the_guides(results):
    problem, x, likelihood, _ = results
    z = to_datatree(problem.guide, x, likelihood, draws=4000)["posterior"]["z"].values
    with torch.no_grad():
        q = posterior(problem.guide, x).base_dist
    loc, scale = q.loc.numpy(), q.scale.numpy()
    assert np.abs((z.mean(0) - loc) / scale).max() < 5 / np.sqrt(4000)
    np.testing.assert_allclose(z.std(0), scale, rtol=0.06)


def test_draws_are_seeded_and_leave_the_callers_state_alone(results):
    problem, x, likelihood, _ = results
    before = torch.get_rng_state()
    first, again, other = (
        to_datatree(problem.guide, x, likelihood, draws=3, seed=seed)["posterior"]["z"].values for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.isclose(first, other).any()
    assert torch.equal(before, torch.get_rng_state())
    assert problem.guide.training


def test_without_labels_there_is_no_constant_data(results):
    problem, x, likelihood, _ = results
    for labels in (None, {}):
        assert "constant_data" not in to_datatree(problem.guide, x, likelihood, labels, draws=2).children


def test_a_likelihood_of_other_data_is_refused(results):
    problem, x, likelihood, _ = results
    with pytest.raises(ValueError, match=r"datum"):
        to_datatree(problem.guide, x, likelihood.first(4), draws=2)


def test_images_have_a_dimension_for_each_axis():
    model = VAE(StandardNormal(2), MLPDecoder(2, (2, 3, 5), hidden=()), Normal(scale=1.0))
    guide = AmortisedNormal(MLPEncoder((2, 3, 5), 4, ()))
    x = torch.randn(4, 2, 3, 5)
    tree = to_datatree(guide, x, log_likelihood(model, guide, x, 5, progress=False), draws=3)
    assert dict(tree["observed_data"].sizes) == {"datum": 4, "feature_0": 2, "feature_1": 3, "feature_2": 5}
    np.testing.assert_array_equal(tree["observed_data"]["x"].values, x.numpy())
