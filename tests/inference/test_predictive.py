"""Predictive checks on data that come from the model, and on data that do not."""

import numpy as np
import pytest
import torch
from arviz_stats.ecdf_utils import ecdf_pit
from scipy import stats

from inference import Predictive, check_predictive, plot_predictive
from model import VAE, MLPDecoder, Normal, Poisson, StandardNormal, UnnormalisedBernoulli, ZeroInflated


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
    with pytest.raises(ValueError, match="no feature varies"):
        Predictive(np.zeros((3, 2)), np.zeros((4, 2))).one_of_each_datum  # noqa: B018


def test_data_from_the_model_pass_and_others_do_not(linear_gaussian):
    problem = linear_gaussian()
    x = problem.draw(400)
    right, wrong = (check_predictive(problem.model, data) for data in (x, 2 * x))
    assert stats.kstest(right.one_of_each_datum, "uniform").pvalue > 1e-3
    assert stats.kstest(wrong.one_of_each_datum, "uniform").pvalue < 1e-3
    assert check_predictive(problem.model, x, 50, seed=1).simulated.shape == (50, 4)


def test_a_right_model_leaves_the_band_as_seldom_as_it_says(linear_gaussian):
    problem = linear_gaussian(latent=1, features=1)

    def leaves(draws, seed):
        check = check_predictive(problem.model, problem.draw(50, seed=1000 + seed), draws, seed)
        _, ecdf, lower, upper = ecdf_pit(check.one_of_each_datum, 0.95, 500)
        return ((ecdf < lower) | (ecdf > upper)).any()

    assert sum(leaves(None, seed) for seed in range(200)) < 0.11 * 200  # 5 % and four standard errors
    assert sum(leaves(50, seed) for seed in range(50)) > 0.16 * 50  # as many draws as data are too few


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
    with pytest.raises(ValueError, match="draws must be at least 1"):
        check_predictive(problem.model, problem.draw(3), 0)
    loss = VAE(StandardNormal(2), MLPDecoder(2, (4,), hidden=()), UnnormalisedBernoulli())
    with pytest.raises(ValueError, match="not a likelihood"):
        check_predictive(loss, torch.rand(3, 4))


def heights(axes):
    return [bar.get_height() for bar in axes.patches]


def of_label(figure, start):
    """Return the axes whose label of x begins so."""
    return next(axes for axes in figure.axes if axes.get_xlabel().startswith(start))


@pytest.mark.parametrize("shape", [(5,), (4, 4), (3, 4, 4)], ids=["table", "image", "colours"])
@pytest.mark.parametrize("counts", [False, True])
@pytest.mark.parametrize("bounds", [None, (0.0, 5.0)])
@pytest.mark.filterwarnings("error")
def test_figures_of_every_kind_of_data(shape, counts, bounds):
    torch.manual_seed(0)
    observation = ZeroInflated(Poisson()) if counts else Normal(scale=1.0)
    model = VAE(StandardNormal(2), MLPDecoder(2, shape, observation.outputs, (4,)), observation)
    with torch.no_grad():
        x = model(n=30)
    figure = plot_predictive(check_predictive(model, x, 60), bounds, counts=counts)
    text = " ".join(t.get_text() for axes in figure.findobj(lambda a: hasattr(a, "get_text")) for t in [axes])
    assert ("hanging" in text) == counts
    assert ("no bounds" in text) == (bounds is None and not counts)  # of counts, 0 is shown
    assert ("mean, observed" in text) == (len(shape) > 1)


def test_maps_and_ends_show_the_numbers():
    generator = np.random.default_rng(0)
    observed, simulated = generator.integers(0, 3, (30, 2, 3)) / 2.0, generator.integers(0, 3, (600, 2, 3)) / 2.0
    figure = plot_predictive(Predictive(observed, simulated), (0.0, 1.0))
    maps = {axes.get_title(): np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images}
    assert len(maps) == 4
    np.testing.assert_allclose(maps["mean, observed"], observed.mean(0))
    np.testing.assert_allclose(maps["mean, drawn from the model"], simulated.mean(0))
    np.testing.assert_allclose(maps["standard deviation, observed"], observed.std(0))
    ends = next(axes for axes in figure.axes if "exactly there" in axes.get_ylabel())
    shares = [100 * (values == end).mean() for values in (observed, simulated) for end in (0.0, 1.0)]
    np.testing.assert_allclose(heights(ends), shares)


@pytest.mark.parametrize("shift", [0, -6, -60, 1_000_000])
def test_a_rootogram_hangs_every_value_wherever_they_are(shift):
    generator = np.random.default_rng(0)
    observed, simulated = (generator.poisson(3.0, (n, 4)) + float(shift) for n in (40, 800))
    axes = of_label(plot_predictive(Predictive(observed, simulated), counts=True), "x, data units")
    bars = {round(bar.get_x() + bar.get_width() / 2): bar for bar in axes.patches}
    for value in np.unique(observed):
        frequency = (observed == value).sum()
        expected = (simulated == value).sum() * observed.size / simulated.size
        assert bars[value].get_height() == pytest.approx(np.sqrt(frequency))
        assert bars[value].get_y() == pytest.approx(np.sqrt(expected) - np.sqrt(frequency))


def test_features_of_a_table_are_standardised_as_observed():
    generator = np.random.default_rng(0)
    units = np.array([1.0, 1e6, 1e-6])
    observed, simulated = units * generator.normal(size=(30, 3)), units * generator.normal(2.0, 3.0, size=(600, 3))
    axes = of_label(plot_predictive(Predictive(observed, simulated)), "feature")
    means, deviations = (line.get_ydata() for line in axes.lines[:2])
    np.testing.assert_allclose(means, (simulated.mean(0) - observed.mean(0)) / observed.std(0))
    np.testing.assert_allclose(deviations, simulated.std(0) / observed.std(0))


def test_what_no_figure_can_be_drawn_of_is_refused():
    x = np.random.default_rng(0).normal(size=(600, 3))
    for check in (Predictive(x[:1], x), Predictive(x, x[:19])):
        with pytest.raises(ValueError, match="at least 20 data and draws, but there are"):
            plot_predictive(check)
    x[5, 1] = np.inf
    with pytest.raises(ValueError, match="1 of 600 draws from the model hold values that are not finite"):
        plot_predictive(Predictive(x[6:], x))
