"""The figures of predictive checks."""

import numpy as np
import pytest
import torch

from obsvae.errors import UsageError
from obsvae.inference import Predictive, check_predictive, plot_predictive
from obsvae.model import VAE, MLPDecoder, Normal, Poisson, StandardNormal, ZeroInflated


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
        with pytest.raises(UsageError, match="at least 20 data and draws, but there are"):
            plot_predictive(check)
    x[5, 1] = np.inf
    with pytest.raises(UsageError, match="1 of 600 draws from the model hold values that are not finite"):
        plot_predictive(Predictive(x[6:], x))
