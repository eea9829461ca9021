"""Predictive checks on data that come from the model, and on data that do not."""

import numpy as np
import pytest
import torch
from scipy import stats

from obsvae.errors import UsageError
from obsvae.inference import Predictive, check_predictive
from obsvae.inference.checks.band import simultaneous_band
from obsvae.model import VAE, MLPDecoder, StandardNormal, UnnormalisedBernoulli


@pytest.mark.parametrize("kind", ["normal", "counts", "mass at 0"])
def test_transforms_are_uniform_whatever_the_values(kind):
    generator = np.random.default_rng(0)

    def draw(n):
        if kind == "normal":
            return generator.normal(size=(n, 3))
        counts = generator.poisson(1.5, size=(n, 3)).astype(float)
        return counts if kind == "counts" else np.where(counts < 1, 0.0, generator.gamma(2.0, size=(n, 3)))

    pit = Predictive(draw(2000), draw(20_000)).pit
    for feature in pit.T:
        assert stats.kstest(feature, "uniform").pvalue > 1e-3


def test_transforms_by_hand():
    found = Predictive(np.array([[0.5], [2.0], [9.0]]), np.array([[1.0], [2.0], [2.0], [3.0]])).pit[:, 0]
    for value, (low, high) in zip(found, [(0, 0.2), (0.2, 0.8), (0.8, 1.0)], strict=True):
        assert low <= value <= high


def test_coverage_tails_and_ends_by_hand():
    generator = np.random.default_rng(0)
    check = Predictive(2 * generator.normal(size=(4000, 2)), generator.normal(size=(20_000, 2)))
    inside = 2 * stats.norm.cdf(stats.norm.ppf(0.75) / 2) - 1
    np.testing.assert_allclose(check.coverage([0.5]), [[inside, inside]], atol=0.03)
    np.testing.assert_allclose(check.beyond([0.01, 0.99]), [stats.norm.cdf(stats.norm.ppf(0.01) / 2)] * 2, atol=0.01)
    assert Predictive(np.array([[0.0, 1.0]]), np.array([[0.0, 0.0], [0.5, 1.0]])).share_at(0.0) == (0.5, 0.5)


def test_features_that_never_vary_are_left_out():
    check = Predictive(np.array([[0.0, 1.0], [0.0, 2.0]]), np.array([[0.0, 3.0]]))
    assert check.varies.tolist() == [False, True]
    assert np.array_equal(check.one_of_each_datum, check.pit[:, 1])


def test_nothing_that_varies_is_refused():
    with pytest.raises(UsageError, match="no feature varies"):
        Predictive(np.zeros((3, 2)), np.zeros((4, 2))).one_of_each_datum  # noqa: B018


def test_data_from_the_model_pass_and_others_do_not(linear_gaussian):
    problem = linear_gaussian()
    x = problem.draw(400)
    right, wrong = (check_predictive(problem.model, data) for data in (x, 2 * x))
    assert stats.kstest(right.one_of_each_datum, "uniform").pvalue > 1e-3
    assert stats.kstest(wrong.one_of_each_datum, "uniform").pvalue < 1e-3
    assert check_predictive(problem.model, x, 50, seed=1).simulated.shape == (50, 4)


@pytest.mark.parametrize("draws", [None, 50])
def test_a_right_model_leaves_the_band_as_seldom_as_it_says(linear_gaussian, draws):
    problem = linear_gaussian(latent=1, features=1)
    leaves = 0
    for seed in range(400):
        check = check_predictive(problem.model, problem.draw(50, seed=1000 + seed), draws, seed)
        leaves += simultaneous_band(50, len(check.simulated)).is_left_by(check.one_of_each_datum)
    assert abs(leaves / 400 - 0.05) < 0.033  # three standard errors


def test_ranks_are_not_broken_by_what_a_caller_drew_with_the_same_seed():
    observed, simulated = np.zeros((20, 2)), np.zeros((30, 2))
    v = Predictive(observed, simulated, 0).pit  # all values are the same: the transform is v alone
    drawn = np.random.default_rng(0).uniform(size=v.shape)
    assert not np.isclose(v, drawn).any()


@pytest.mark.parametrize("seeds", [(0, 0), (0, 1)])
def test_ranks_are_seeded(seeds):
    observed, simulated = np.zeros((9, 2)), np.zeros((30, 2))
    simulated[0] = 1.0
    one, other = (Predictive(observed, simulated, seed) for seed in seeds)
    assert np.array_equal(one.one_of_each_datum, other.one_of_each_datum) == (seeds[0] == seeds[1])


def test_what_cannot_be_checked_is_refused(linear_gaussian):
    problem = linear_gaussian()
    with pytest.raises(UsageError, match="draws must be at least 1"):
        check_predictive(problem.model, problem.draw(3), 0)
    loss = VAE(StandardNormal(2), MLPDecoder(2, (4,), hidden=()), UnnormalisedBernoulli())
    with pytest.raises(UsageError, match="not a likelihood"):
        check_predictive(loss, torch.rand(3, 4))
