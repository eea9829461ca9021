"""Predictive checks on data that come from the model, and on data that do not."""

import numpy as np
import pytest
import torch
from scipy import stats

from inference import Predictive, check_predictive, plot_predictive
from model import VAE, MLPDecoder, Poisson, StandardNormal, UnnormalisedBernoulli, ZeroInflated


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
    assert np.array_equal(check.one_of_each_datum(), check.pit[:, 1])


def test_nothing_that_varies_is_refused():
    with pytest.raises(ValueError, match="no feature varies"):
        Predictive(np.zeros((3, 2)), np.zeros((4, 2))).one_of_each_datum()


def test_data_from_the_model_pass_and_others_do_not(linear_gaussian):
    problem = linear_gaussian()
    x = problem.draw(400)
    right, wrong = (check_predictive(problem.model, data, 4000) for data in (x, 2 * x))
    assert stats.kstest(right.one_of_each_datum(), "uniform").pvalue > 1e-3
    assert stats.kstest(wrong.one_of_each_datum(), "uniform").pvalue < 1e-3
    assert check_predictive(problem.model, x, 50, seed=1).simulated.shape == (50, 4)


def test_what_cannot_be_checked_is_refused(linear_gaussian):
    problem = linear_gaussian()
    with pytest.raises(ValueError, match="draws must be at least 1"):
        check_predictive(problem.model, problem.draw(3), 0)
    loss = VAE(StandardNormal(2), MLPDecoder(2, (4,), hidden=()), UnnormalisedBernoulli())
    with pytest.raises(ValueError, match="not a likelihood"):
        check_predictive(loss, torch.rand(3, 4))


@pytest.mark.parametrize("shape", [(5,), (4, 4), (3, 4, 4)], ids=["table", "image", "colours"])
@pytest.mark.parametrize("counts", [False, True])
@pytest.mark.parametrize("bounds", [None, (0.0, 5.0)])
def test_figures_of_every_kind_of_data(shape, counts, bounds):
    torch.manual_seed(0)
    observation = ZeroInflated(Poisson()) if counts else Poisson()
    model = VAE(StandardNormal(2), MLPDecoder(2, shape, observation.outputs, (4,)), observation)
    with torch.no_grad():
        x = model(n=30)
    figure = plot_predictive(check_predictive(model, x, 60), bounds, counts=counts)
    text = " ".join(t.get_text() for axes in figure.findobj(lambda a: hasattr(a, "get_text")) for t in [axes])
    assert ("hanging" in text) == counts
    assert ("no bounds" in text) == (bounds is None)
    assert ("mean, observed" in text) == (len(shape) > 1)
