"""Models ranked by the likelihood of the same held-out data, and what is not ranked."""

from dataclasses import replace

import arviz as az
import numpy as np
import pytest
import torch

from obsvae.errors import UsageError
from obsvae.experiments.files import save_datatree
from obsvae.guides import AmortisedNormal, MLPEncoder
from obsvae.inference import compare_trees, log_likelihood, to_arviz, to_elpd
from obsvae.model import VAE, Binomial, Discretised, MeasureMismatch, MLPDecoder, Normal, StandardNormal


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


def exported(problem, x, sigma=None, shift=0.0, **settings):
    """Return a tree of a linear-Gaussian problem, with another scale of the noise, and another log p(x)."""
    scale = problem.sigma if sigma is None else sigma
    model = VAE(problem.model.prior, problem.model.decoder, Normal(scale=scale, link="identity"))
    likelihood = log_likelihood(model, problem.guide, x, 40, keep_weights=len(x), keep_particles=len(x), progress=False)
    moved = replace(likelihood.weights, estimate=likelihood.weights.estimate + shift)
    return to_arviz(model, problem.guide, x, replace(likelihood, weights=moved), draws=4, **settings)


@pytest.fixture
def problem(linear_gaussian):
    return linear_gaussian()


def test_trees_are_ranked_by_log_p_of_their_data(problem, tmp_path):
    x = problem.draw(30)
    trees = {"wide": exported(problem, x, 2.0), "right": exported(problem, x)}
    for name, tree in trees.items():
        save_datatree(tmp_path / f"{name}.nc", tree)
    read = {name: az.from_netcdf(tmp_path / f"{name}.nc") for name in trees}
    for found in (compare_trees(trees), compare_trees(read)):
        assert found.index.tolist() == ["right", "wide"]
        sums = {n: tree["sample_stats"]["log_marginal_likelihood"].values for n, tree in trees.items()}
        difference = sums["wide"] - sums["right"]
        assert found["elpd"]["right"] == pytest.approx(sums["right"].sum(), rel=0.1)  # ArviZ rounds to the error
        assert found["elpd_diff"]["wide"] == pytest.approx(difference.sum(), rel=0.1)
        assert found["dse"]["wide"] == pytest.approx(np.sqrt(30) * difference.std(), rel=0.1)
        assert found["weight"].sum() == pytest.approx(1.0)
        assert set(found.columns) == set(az.compare({n: to_elpd_of(values) for n, values in sums.items()}).columns)


def to_elpd_of(estimate):
    return az.ELPDData(
        elpd=estimate.sum(),
        se=1.0,
        p=np.nan,
        n_samples=1,
        n_data_points=len(estimate),
        scale="log",
        warning=False,
        good_k=0.7,
        elpd_i=az.convert_to_dataset({"x": estimate[None, None]})["x"][0, 0],
    )


@pytest.mark.parametrize("level", [0.0, -5000.0, 5000.0])
def test_weights_do_not_depend_on_the_level_of_the_likelihood(problem, level):
    x = problem.draw(30)
    found = compare_trees({"wide": exported(problem, x, 2.0, level), "right": exported(problem, x, None, level)})
    assert found["weight"].to_dict() == pytest.approx({"right": 1.0, "wide": 0.0}, abs=0.05)


def counts(observation, x):
    torch.manual_seed(0)
    model = VAE(StandardNormal(2), MLPDecoder(2, (4,), observation.outputs, ()), observation)
    guide = AmortisedNormal(MLPEncoder((4,), 4, ()))
    return to_arviz(model, guide, x, draws=2, particles=40, progress=False)


class Grid:
    low, step, levels, high = 0.0, 1.0, 5, 4.0


def test_a_density_is_not_ranked_against_a_mass():
    x = torch.arange(24.0).remainder(5.0).reshape(6, 4)
    density = counts(Normal(scale=1.0), x)
    masses = {"count": counts(Binomial(4), x), "cells": counts(Discretised(Normal(scale=1.0), Grid()), x)}
    with pytest.raises(
        MeasureMismatch, match=r"a mass \(count\) against a density \(normal\) cannot be ranked.*on_grid"
    ):
        compare_trees({**masses, "normal": density})
    assert set(compare_trees(masses).index) == {"count", "cells"}
    # ArviZ by itself does.
    assert set(az.compare(by_feature({"count": masses["count"], "normal": density})).index) == {"count", "normal"}


def by_feature(trees):
    return {name: to_elpd_of(tree["log_likelihood"]["x"].values.mean((0, 1)).ravel()) for name, tree in trees.items()}


def test_what_differs_in_data_units_or_grid_is_refused(problem):
    x = problem.draw(6)
    tree = exported(problem, x)
    with pytest.raises(UsageError, match=r"'a' and 'b' hold data of shape \(6, 4\) and \(5, 4\).*--limit"):
        compare_trees({"a": tree, "b": exported(problem, x[:5])})
    changed = x.clone()
    changed[3, 1] += 1.0
    with pytest.raises(UsageError, match="'a' and 'b' hold data that differ, first in datum 3"):
        compare_trees({"a": tree, "b": exported(problem, changed)})
    with pytest.raises(UsageError, match=r"'a' has data_unit = data units and 'b' cm: .*units cannot be ranked"):
        compare_trees({"a": tree, "b": exported(problem, x, attributes={"data_unit": "cm"})})
    steps = [exported(problem, x, attributes={"grid_step": step}) for step in (1.0, 2.0)]
    with pytest.raises(MeasureMismatch, match=r"'a' has grid_step = 1\.0 and 'b' 2\.0: .*grids cannot be ranked"):
        compare_trees(dict(zip("ab", steps, strict=True)))
    with pytest.raises(UsageError, match="at least two trees, but got 1"):
        compare_trees({"a": tree})


def test_trees_that_do_not_say_what_they_are_are_refused(problem):
    tree = exported(problem, problem.draw(6))
    bare = tree.copy()
    bare.attrs = {}
    with pytest.raises(
        UsageError, match="'old' does not say what its numbers are: it lacks measure, unit, data_unit; "
    ):
        compare_trees({"new": tree, "old": bare})
    with pytest.raises(UsageError, match="it lacks sample_stats"):
        compare_trees({"new": tree, "old": tree.drop_nodes("sample_stats")})


def test_a_datum_without_an_estimate_is_named(problem):
    x = problem.draw(6)
    lost = np.where(np.arange(6) == 2, np.nan, 0.0)
    trees = {"a": exported(problem, x), "b": exported(problem, x, None, lost)}
    with pytest.raises(UsageError, match="datum 2 of 'b' has no estimate"):
        compare_trees(trees)
    kept = {name: tree.isel(datum=[0, 1, 3, 4, 5]) for name, tree in trees.items()}
    assert compare_trees(kept)["elpd_diff"].tolist() == [0.0, 0.0]
