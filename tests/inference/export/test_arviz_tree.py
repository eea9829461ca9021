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
from obsvae.inference import Amortised, by_value, feature_dims, log_likelihood, of_guide, posterior, to_arviz, to_elpd
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


def check(tree, x, likelihood, labels, draws):
    assert set(tree.children) == GROUPS
    sizes = {"chain": 1, "draw": draws, "datum": 6}
    for group in ("posterior", "guide", "prior"):
        assert dict(tree[group].sizes) == {**sizes, "latent": 2}
        assert tree[group]["z"].dims == ("chain", "draw", "datum", "latent")
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
    for name, value in labels.items():
        np.testing.assert_array_equal(tree["constant_data"][name].values, value.numpy())
    for name, group in tree.children.items():
        if "datum" in group.dims:
            np.testing.assert_array_equal(group["datum"].values, np.arange(6), err_msg=name)


def test_groups_dimensions_and_values(results):
    problem, x, likelihood, labels = results
    check(to_arviz(problem.model, problem.guide, x, likelihood, labels=labels, draws=7), x, likelihood, labels, 7)


def test_netcdf_and_back(results, tmp_path):
    problem, x, likelihood, labels = results
    tree = to_arviz(problem.model, problem.guide, x, likelihood, labels=labels, draws=7)
    save_datatree(tmp_path / "posterior.nc", tree)
    with xr.open_datatree(tmp_path / "posterior.nc", engine="h5netcdf") as found:
        check(found, x, likelihood, labels, 7)
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
    z = tree["posterior"]["z"].values[0]
    assert np.abs((z.mean(0) - mean.numpy()) / covariance.diagonal().sqrt().numpy()).max() < 5 / np.sqrt(4000)
    np.testing.assert_allclose(np.stack([np.cov(z[:, i].T) for i in range(5)]), [covariance.numpy()] * 5, atol=0.02)
    with torch.no_grad():
        q = posterior(problem.guide, x).base_dist
    raw = tree["guide"]["z"].values[0]
    assert np.abs((raw.mean(0) - q.loc.numpy()) / q.scale.numpy()).max() < 5 / np.sqrt(4000)
    # And x̃ given z is W z + b and noise.
    W, b = problem.W.numpy(), problem.b.numpy()
    residual = tree["posterior_predictive"]["x"].values[0] - (z @ W.T + b)
    np.testing.assert_allclose(residual.std(), problem.sigma, rtol=0.02)
    log_p = -0.5 * ((x.numpy() - (z @ W.T + b)) / problem.sigma) ** 2 - np.log(problem.sigma * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(tree["log_likelihood"]["x"].values[0], log_p, rtol=1e-6)


def test_loo_is_the_prediction_of_a_feature_from_the_others(linear_gaussian):
    problem = linear_gaussian(latent=1, features=6, sigma=1.0, dtype=torch.float64)
    x = problem.draw(4)
    tree = to_arviz(problem.model, problem.guide, x, draws=4000, particles=20_000, progress=False)
    found = az.loo(tree, pointwise=True).elpd_i.values
    joint = problem.marginal()
    exact = np.empty((4, 6))
    for f in range(6):
        others = [i for i in range(6) if i != f]
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
    whole = observation.measure is Measure.COUNTING
    assert (tree["observed_data"]["x"].dtype == np.int32) == whole
    plots = [az.plot_ppc_rootogram] if whole else [az.plot_ppc_dist, az.plot_ppc_dist_pit]
    for plot in [*plots, az.plot_ppc_pit, az.plot_ppc_interval, az.plot_ppc_tstat]:
        for group in ("posterior_predictive", "prior_predictive"):
            plot(tree, group=group)
            plt.close("all")


def test_elpd_ranks_by_the_likelihood(linear_gaussian):
    problem = linear_gaussian()
    x = problem.draw(30)
    likelihood = log_likelihood(problem.model, problem.guide, x, 40, progress=False)
    found = to_elpd(likelihood)
    assert found.elpd == pytest.approx(likelihood.weights.estimate.sum())
    assert found.se == pytest.approx(np.sqrt(30) * likelihood.weights.estimate.std(ddof=1))
    np.testing.assert_array_equal(found.elpd_i.values, likelihood.weights.estimate)
    worse = VAE(problem.model.prior, problem.model.decoder, Normal(scale=20.0 * problem.sigma, link="identity"))
    other = log_likelihood(worse, problem.guide, x, 40, progress=False)
    assert az.compare({"other": to_elpd(other), "this": found}).index.tolist() == ["this", "other"]


def test_draws_are_seeded_and_leave_the_callers_state_alone(results):
    problem, x, likelihood, _ = results
    before = torch.get_rng_state()

    def run(seed):
        return to_arviz(problem.model, problem.guide, x, likelihood, draws=3, seed=seed)

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
        ((z - q.loc.numpy()) / q.scale.numpy()).round(7) for z in (tree["guide"]["z"].values[0], likelihood.z)
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
        tree = to_arviz(model, guide, x, replace(likelihood, z=far), draws=5)
        found = tree["posterior_predictive"]["x"].values[0]
        assert np.isfinite(np.delete(found, 2, 1)).all()


def test_without_labels_there_is_no_constant_data(results):
    problem, x, likelihood, _ = results
    for labels in (None, {}):
        tree = to_arviz(problem.model, problem.guide, x, likelihood, labels=labels, draws=2)
        assert set(tree.children) == GROUPS - {"constant_data"}


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
    tree = to_arviz(model, guide, x, lost, draws=5)
    for group, name in (("posterior", "z"), ("posterior_predictive", "x"), ("log_likelihood", "x")):
        assert np.isnan(tree[group][name].values[0, :, 2]).all()
        assert np.isfinite(np.delete(tree[group][name].values[0], 2, 1)).all()


def test_what_cannot_be_exported_is_refused(results):
    problem, x, likelihood, _ = results
    bare = log_likelihood(problem.model, problem.guide, x, 40, progress=False)
    for other in (bare, likelihood.first(4)):
        with pytest.raises(UsageError, match=r"estimate it with keep_weights=6 and keep_particles=6"):
            to_arviz(problem.model, problem.guide, x, other)
    with pytest.raises(UsageError, match="draws must be at least 1"):
        to_arviz(problem.model, problem.guide, x, likelihood, draws=0)
    loss = VAE(StandardNormal(2), MLPDecoder(2, (4,), hidden=()), UnnormalisedBernoulli())
    with pytest.raises(UsageError, match="not a likelihood"):
        to_arviz(loss, problem.guide, torch.rand(3, 4))


def test_a_plain_autoencoder_has_a_posterior_too():
    torch.manual_seed(0)
    model = VAE(StandardNormal(2), MLPDecoder(2, (4,), hidden=()), Normal(scale=1.0))
    guide = AmortisedDelta(MLPEncoder((4,), 2, ()))
    tree = to_arviz(model, guide, torch.randn(3, 4), draws=5, particles=40, progress=False)
    assert np.ptp(tree["guide"]["z"].values, axis=1).max() == 0
    assert np.ptp(tree["posterior"]["z"].values, axis=1).min() > 0
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
    tree = to_arviz(model, guide, x, draws=3, particles=5, progress=False)
    assert dict(tree["observed_data"].sizes) == {"datum": 4, "channel": 3, "row": 5, "column": 6}
    np.testing.assert_array_equal(tree["observed_data"]["x"].values, x.numpy())
