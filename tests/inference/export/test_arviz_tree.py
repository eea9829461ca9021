"""From a model, a guide and data to an ArviZ DataTree, to netCDF and back, without this project."""

import subprocess
import sys
from dataclasses import replace

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import xarray as xr

from obsvae.errors import UsageError
from obsvae.experiments.files import save_datatree
from obsvae.guides import AmortisedDelta, AmortisedNormal, MLPEncoder
from obsvae.inference import Amortised, by_value, feature_dims, log_likelihood, of_guide, posterior, to_arviz
from obsvae.model import (
    VAE,
    Bernoulli,
    Categorical,
    Measure,
    Mixture,
    MLPDecoder,
    Normal,
    Ordinal,
    Poisson,
    StandardNormal,
    UnnormalisedBernoulli,
)

GROUPS = {
    "posterior",
    "guide",
    "posterior_predictive",
    "log_likelihood",
    "guide_log_likelihood",
    "log_prior",
    "prior",
    "prior_predictive",
    "sample_stats",
    "observed_data",
    "constant_data",
}


@pytest.fixture
def results(linear_gaussian):
    problem = linear_gaussian()
    x = problem.draw(6)
    likelihood = log_likelihood(problem.model, problem.guide, x, 40, keep_weights=6, keep_particles=6, progress=False)
    labels = {"label": torch.arange(6) % 3, "year": torch.linspace(1900, 2000, 6)}
    return problem, x, likelihood, labels


def merged(draws):
    """Return draws of both chains, ``(S, ...)``."""
    return draws.values.reshape(-1, *draws.shape[2:])


def check(tree, x, likelihood, labels, draws):
    assert set(tree.children) == GROUPS
    sizes = {"chain": 2, "draw": draws // 2, "datum": 6}
    for group in ("posterior", "guide", "prior"):
        assert dict(tree[group].sizes) == {**sizes, "latent": 2}
        assert tree[group]["z"].dims == ("chain", "draw", "datum", "latent")
    assert tree["log_prior"]["z"].dims == ("chain", "draw", "datum")
    assert tree["guide"]["log_p"].dims == tree["guide"]["log_q"].dims == ("chain", "draw", "datum")
    for group in ("posterior_predictive", "log_likelihood", "guide_log_likelihood", "prior_predictive"):
        assert dict(tree[group].sizes) == {**sizes, "feature": 4}
        assert tree[group]["x"].dims == ("chain", "draw", "datum", "feature")
    np.testing.assert_array_equal(tree["observed_data"]["x"].values, x.numpy())
    stats = tree["sample_stats"]
    np.testing.assert_array_equal(stats["log_marginal_likelihood"].values, likelihood.weights.estimate)
    np.testing.assert_array_equal(stats["log_weight"].values, likelihood.log_weights)
    assert stats["log_weight"].dims == ("particle", "datum")
    assert stats.attrs == {"proposal": "refined", "particles": 40}
    for name in ("standard_error", "ess", "khat"):
        np.testing.assert_array_equal(stats[name].values, getattr(likelihood.weights, name))
    particles = [np.unique(z.reshape(-1, 2), axis=0) for z in np.moveaxis(tree["posterior"]["z"].values, 2, 0)]
    assert stats["distinct_draws"].values.tolist() == [len(found) for found in particles]
    about = {"measure": "density", "is_bound": 0, "unit": "nats", "data_unit": "data units"}
    assert tree.attrs == about
    assert dict(tree["log_likelihood"].attrs).items() >= about.items()
    for name, value in labels.items():
        np.testing.assert_array_equal(tree["constant_data"][name].values, value.numpy())
    for name, group in tree.children.items():
        if "datum" in group.dims:
            np.testing.assert_array_equal(group["datum"].values, np.arange(6), err_msg=name)


def test_groups_dimensions_and_values(results):
    problem, x, likelihood, labels = results
    check(to_arviz(problem.model, problem.guide, x, likelihood, labels=labels, draws=8), x, likelihood, labels, 8)


def test_netcdf_and_back(results, tmp_path):
    problem, x, likelihood, labels = results
    tree = to_arviz(problem.model, problem.guide, x, likelihood, labels=labels, draws=8)
    save_datatree(tmp_path / "posterior.nc", tree)
    with xr.open_datatree(tmp_path / "posterior.nc", engine="h5netcdf") as found:
        check(found, x, likelihood, labels, 8)
        for name, group in tree.children.items():
            assert group.to_dataset().equals(found[name].to_dataset())


def test_plain_arviz_reads_it_and_draws_it(results, tmp_path):
    problem, x, likelihood, _ = results
    save_datatree(tmp_path / "posterior.nc", to_arviz(problem.model, problem.guide, x, likelihood, draws=100))
    program = """
import warnings
import arviz as az, matplotlib
matplotlib.use("Agg")
warnings.simplefilter("ignore")
tree = az.from_netcdf("posterior.nc")
found = az.loo(tree, pointwise=True)
az.plot_khat(found)
az.plot_loo_pit(tree)
az.plot_ppc_dist(tree)
az.plot_ppc_tstat(tree, group="prior_predictive")
az.loo_pit(tree)
print(found.n_data_points, az.summary(tree, group="posterior").shape[0])
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["24", "12"]


def test_the_posteriors_draws_are_the_posteriors_and_the_guides_the_guides(linear_gaussian):
    problem = linear_gaussian(dtype=torch.float64)
    x = problem.draw(5)
    tree = to_arviz(problem.model, problem.guide, x, draws=4000, particles=20_000, progress=False)
    mean, covariance = problem.posterior(x)
    z = merged(tree["posterior"]["z"])
    assert np.abs((z.mean(0) - mean.numpy()) / covariance.diagonal().sqrt().numpy()).max() < 5 / np.sqrt(4000)
    np.testing.assert_allclose(np.stack([np.cov(z[:, i].T) for i in range(5)]), [covariance.numpy()] * 5, atol=0.02)
    with torch.no_grad():
        q = posterior(problem.guide, x).base_dist
    raw = merged(tree["guide"]["z"])
    assert np.abs((raw.mean(0) - q.loc.numpy()) / q.scale.numpy()).max() < 5 / np.sqrt(4000)
    # And x̃ given z is W z + b and noise.
    W, b = problem.W.numpy(), problem.b.numpy()
    residual = merged(tree["posterior_predictive"]["x"]) - (z @ W.T + b)
    np.testing.assert_allclose(residual.std(), problem.sigma, rtol=0.02)
    log_p = -0.5 * ((x.numpy() - (z @ W.T + b)) / problem.sigma) ** 2 - np.log(problem.sigma * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(merged(tree["log_likelihood"]["x"]), log_p, rtol=1e-6)
    log_prior = -0.5 * (z**2).sum(-1) - np.log(2 * np.pi)
    np.testing.assert_allclose(merged(tree["log_prior"]["z"]), log_prior, rtol=1e-6)


@pytest.mark.slow
def test_loo_is_the_prediction_of_a_feature_from_the_others(linear_gaussian):
    problem = linear_gaussian(latent=1, features=12, sigma=1.0, dtype=torch.float64)
    x = problem.draw(4)
    tree = to_arviz(problem.model, problem.guide, x, draws=4000, particles=20_000, progress=False)
    found = az.loo(tree, pointwise=True).elpd_i.values
    joint = problem.marginal()
    exact = np.empty((4, 12))
    for f in range(12):
        others = [i for i in range(12) if i != f]
        rest = torch.distributions.MultivariateNormal(joint.loc[others], joint.covariance_matrix[others][:, others])
        exact[:, f] = (joint.log_prob(x) - rest.log_prob(x[:, others])).numpy()
    np.testing.assert_allclose(found, exact, atol=0.05)


def test_loo_by_the_guides_draws_is_the_prediction_of_a_feature_from_the_others(linear_gaussian):
    problem = linear_gaussian(latent=1, features=6, sigma=1.0, dtype=torch.float64)
    x = problem.draw(2)
    tree = to_arviz(problem.model, problem.guide, x, draws=2500, particles=200, progress=False)
    joint = problem.marginal()
    for i in range(2):
        one = of_guide(tree, i)
        found = az.loo_approximate_posterior(one, one["posterior"]["log_p"], one["posterior"]["log_q"], pointwise=True)
        exact = np.empty(6)
        for f in range(6):
            others = [g for g in range(6) if g != f]
            rest = torch.distributions.MultivariateNormal(joint.loc[others], joint.covariance_matrix[others][:, others])
            exact[f] = joint.log_prob(x[i]) - rest.log_prob(x[i, others])
        np.testing.assert_allclose(found.elpd_i.values, exact, atol=0.05)


@pytest.mark.parametrize("shape", [(5,), (3, 4)], ids=["vector", "image"])
@pytest.mark.filterwarnings("ignore:num_samples is larger", "ignore:This plot always uses the `observed_data`")
@pytest.mark.parametrize("observation", [Poisson(), Normal(scale=1.0)], ids=["counts", "densities"])
def test_plots_of_one_dimension_take_single_values(shape, observation):
    torch.manual_seed(0)
    model = VAE(StandardNormal(2), MLPDecoder(2, shape, 1, (4,)), observation)
    guide = AmortisedNormal(MLPEncoder(shape, 4, ()))
    with torch.no_grad():
        x = model(n=6)
    tree = by_value(to_arviz(model, guide, x, labels={"x": torch.arange(6)}, draws=20, particles=100, progress=False))
    np.testing.assert_array_equal(tree["observed_data"]["x"].values, x.flatten().numpy())
    assert tree["posterior_predictive"]["x"].dims == ("chain", "draw", "value")
    assert tree["posterior"]["z"].dims == ("chain", "draw", "datum", "latent")
    assert tree["constant_data"]["x"].dims == ("datum",)
    assert tree.attrs["measure"] == observation.measure.value
    whole = observation.measure is Measure.COUNTING
    assert (tree["observed_data"]["x"].dtype == np.int32) == whole
    plots = [az.plot_ppc_rootogram] if whole else [az.plot_ppc_dist, az.plot_ppc_dist_pit]
    for plot in [*plots, az.plot_ppc_pit, az.plot_ppc_interval, az.plot_ppc_tstat]:
        for group in ("posterior_predictive", "prior_predictive"):
            plot(tree, group=group)
            plt.close("all")


def test_draws_are_seeded_and_leave_the_callers_state_alone(results):
    problem, x, likelihood, _ = results
    before = torch.get_rng_state()

    def run(seed):
        return to_arviz(problem.model, problem.guide, x, likelihood, draws=4, seed=seed)

    first, again, other = run(1), run(1), run(2)
    for group in ("posterior", "guide", "prior"):
        assert first[group].to_dataset().equals(again[group].to_dataset())
        assert not first[group].to_dataset().equals(other[group].to_dataset())
    assert torch.equal(before, torch.get_rng_state())
    assert problem.guide.training


def test_the_guide_draws_by_other_noise_than_the_particles(linear_gaussian):
    problem = linear_gaussian(dtype=torch.float64)
    x = problem.draw(6)
    settings = {"proposal": Amortised(), "keep_weights": 6, "keep_particles": 6, "progress": False}
    likelihood = log_likelihood(problem.model, problem.guide, x, 200, seed=1, **settings)
    tree = to_arviz(problem.model, problem.guide, x, likelihood, draws=200, seed=1)
    with torch.no_grad():
        q = posterior(problem.guide, x).base_dist
    of_guide, of_particles = (
        ((z - q.loc.numpy()) / q.scale.numpy()).round(7) for z in (merged(tree["guide"]["z"]), likelihood.z)
    )
    assert np.isin(of_guide, of_particles).mean() < 0.05


def test_a_decoder_that_overflows_for_one_datum_costs_the_others_nothing():
    torch.manual_seed(0)
    for observation in (Poisson(), Bernoulli(), Normal(scale="decoder")):
        model = VAE(StandardNormal(2), MLPDecoder(2, (4,), observation.outputs, (5,)), observation)
        guide = AmortisedNormal(MLPEncoder((4,), 4, ()))
        x = torch.tensor([0.0, 1.0]).repeat(5, 2)
        likelihood = log_likelihood(model, guide, x, 40, keep_weights=5, keep_particles=5, progress=False)
        far = likelihood.z.copy()
        far[:, 2] = 1e38
        tree = to_arviz(model, guide, x, replace(likelihood, z=far), draws=6)
        found = merged(tree["posterior_predictive"]["x"])
        assert np.isfinite(np.delete(found, 2, 1)).all()


def test_without_labels_there_is_no_constant_data(results):
    problem, x, likelihood, _ = results
    for labels in (None, {}):
        tree = to_arviz(problem.model, problem.guide, x, likelihood, labels=labels, draws=2)
        assert set(tree.children) == GROUPS - {"constant_data"}


def test_attributes_of_the_caller_stand_beside_those_of_the_numbers(results):
    problem, x, likelihood, _ = results
    told = {"data_unit": "cm", "split": "test", "grid_step": 0.5, "measure": "mass"}
    tree = to_arviz(problem.model, problem.guide, x, likelihood, attributes=told, draws=2)
    assert (tree.attrs["data_unit"], tree.attrs["split"], tree.attrs["grid_step"]) == ("cm", "test", 0.5)
    assert tree["log_likelihood"].attrs["data_unit"] == tree["observed_data"].attrs["unit"] == "cm"
    assert tree.attrs["measure"] == "density"  # the caller cannot change what the model says
    assert by_value(tree).attrs == of_guide(tree, 0).attrs == tree.attrs


def test_two_chains_for_what_asks_for_chains(results):
    problem, x, likelihood, _ = results
    tree = to_arviz(problem.model, problem.guide, x, likelihood, draws=100)
    assert np.isfinite(az.rhat(tree)["z"].values).all()
    one = tree.isel(datum=[0])
    for plot in (az.plot_rank, az.plot_rank_dist):
        plot(one)
        plt.close("all")
    assert "distinct_draws" in tree["posterior"].attrs["diagnostics"]


@pytest.mark.slow
def test_power_scaling_finds_which_data_lean_on_the_prior(linear_gaussian):
    problem = linear_gaussian(latent=1, features=6, dtype=torch.float64)
    x = torch.stack([problem.b, problem.b + 6.0 * problem.W[:, 0]])  # the second would have z = 6 but for the prior
    tree = to_arviz(problem.model, problem.guide, x, draws=4000, particles=20_000, progress=False)
    near, far = (az.psense_summary(tree.isel(datum=[i])) for i in range(2))
    # Scaling the log prior by α moves the mean z of precision 1 + L by about (1 - α) z / (1 + L).
    assert far["prior"].item() > 2 * near["prior"].item()
    assert set(az.psense_summary(tree).index) == {"z[0, 0]", "z[1, 0]"}


@pytest.mark.parametrize(
    "observation",
    [
        Normal(scale=1.0),
        Poisson(),
        Bernoulli(),
        Categorical(4),
        Ordinal(4),
        Mixture([Normal(scale=1.0), Normal(scale=2.0)]),
    ],
    ids=lambda observation: observation.name,
)
def test_a_datum_without_usable_weights_has_no_draws(observation):
    torch.manual_seed(0)
    model = VAE(StandardNormal(2), MLPDecoder(2, (4,), observation.outputs, ()), observation)
    guide = AmortisedNormal(MLPEncoder((4,), 4, ()))
    x = torch.tensor([0.0, 1.0]).repeat(5, 2)
    likelihood = log_likelihood(model, guide, x, 40, keep_weights=5, keep_particles=5, progress=False)
    lost = replace(likelihood, log_weights=np.where(np.arange(5) == 2, -np.inf, likelihood.log_weights))
    tree = to_arviz(model, guide, x, lost, draws=6)
    for group, name in (("posterior", "z"), ("posterior_predictive", "x"), ("log_likelihood", "x")):
        found = merged(tree[group][name])
        assert np.isnan(found[:, 2]).all()
        assert np.isfinite(np.delete(found, 2, 1)).all()
    assert (tree["sample_stats"]["distinct_draws"].values == 0).tolist() == [False, False, True, False, False]


def test_what_cannot_be_exported_is_refused(results):
    problem, x, likelihood, _ = results
    bare = log_likelihood(problem.model, problem.guide, x, 40, progress=False)
    for other in (bare, likelihood.first(4)):
        with pytest.raises(UsageError, match=r"estimate it with keep_weights=6 and keep_particles=6"):
            to_arviz(problem.model, problem.guide, x, other)
    for draws in (0, 7):
        with pytest.raises(UsageError, match=f"draws must be an even number of at least 2.*but got {draws}"):
            to_arviz(problem.model, problem.guide, x, likelihood, draws=draws)
    loss = VAE(StandardNormal(2), MLPDecoder(2, (4,), hidden=()), UnnormalisedBernoulli())
    with pytest.raises(UsageError, match="not a likelihood"):
        to_arviz(loss, problem.guide, torch.rand(3, 4))


def test_a_plain_autoencoder_has_a_posterior_too():
    torch.manual_seed(0)
    model = VAE(StandardNormal(2), MLPDecoder(2, (4,), hidden=()), Normal(scale=1.0))
    guide = AmortisedDelta(MLPEncoder((4,), 2, ()))
    tree = to_arviz(model, guide, torch.randn(3, 4), draws=6, particles=40, progress=False)
    assert np.ptp(merged(tree["guide"]["z"]), axis=0).max() == 0
    assert np.ptp(merged(tree["posterior"]["z"]), axis=0).min() > 0
    assert "guide_log_likelihood" not in tree
    with pytest.raises(UsageError, match="a point mass on 'z'"):
        of_guide(tree, 0)


@pytest.mark.parametrize(
    ("event", "dims"),
    [
        ((7,), ("feature",)),
        ((28, 28), ("row", "column")),
        ((3, 32, 32), ("channel", "row", "column")),
        ((32, 32, 3), ("row", "column", "channel")),
        ((3, 4, 4), ("channel", "row", "column")),
        ((8, 8, 1), ("row", "column", "channel")),
        ((8, 8, 8), ("axis_0", "axis_1", "axis_2")),
        ((2, 3, 4, 5), ("axis_0", "axis_1", "axis_2", "axis_3")),
    ],
)
def test_features_have_names(event, dims):
    assert feature_dims(event) == dims


def test_images_have_a_dimension_for_each_axis():
    model = VAE(StandardNormal(2), MLPDecoder(2, (3, 5, 6), hidden=()), Normal(scale=1.0))
    guide = AmortisedNormal(MLPEncoder((3, 5, 6), 4, ()))
    x = torch.randn(4, 3, 5, 6)
    tree = to_arviz(model, guide, x, draws=4, particles=5, progress=False)
    assert dict(tree["observed_data"].sizes) == {"datum": 4, "channel": 3, "row": 5, "column": 6}
    np.testing.assert_array_equal(tree["observed_data"]["x"].values, x.numpy())
