"""Figures: written as PNG, and not blank."""

import matplotlib as mpl
import matplotlib.image
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from obsvae.experiments.files import save_figure
from obsvae.inference import Epoch, History, limits_of, plot_comparison, plot_data, plot_history, plot_reproductions

SHAPES = {
    "image": (8, 6),
    "many axes": (2, 3, 8, 6),
    "colour": (3, 8, 6),
    "one channel": (1, 8, 6),
    "vector": (12,),
    "row": (1, 9),
}
shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())


def pixels(figure, folder):
    """Return the figure's pixels, read back from its PNG, in [0, 1]."""
    path = save_figure(folder / "figure.png", figure)
    return matplotlib.image.imread(path)[..., :3]


def drawn(figure):
    """Return every array that a figure draws as a picture or a line, axes by axes."""
    return [
        np.ma.getdata(thing.get_array() if hasattr(thing, "get_array") else thing.get_ydata())
        for axes in figure.axes
        for thing in [*axes.images, *axes.lines]
    ]


def data(shape, n=3, seed=0):
    return 255 * torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed))


@shapes
@pytest.mark.parametrize("bounds", [None, (0.0, 255.0)])
@pytest.mark.filterwarnings("error")
def test_reproductions(tmp_path, shape, bounds):
    rows = {"data": data(shape), "reproduction": data(shape, seed=1)}
    figure = plot_reproductions(rows, bounds)
    assert len(figure.axes) == 6
    changed = plot_reproductions(rows | {"reproduction": data(shape, seed=2)}, bounds)
    assert not np.array_equal(pixels(figure, tmp_path), pixels(changed, tmp_path))


def test_pixels_are_the_datas(tmp_path):
    figure = Figure()
    datum = data((3, 4, 5), 1)[0].numpy()
    plot_data(figure.subplots(), datum, 0.0, 255.0)
    np.testing.assert_allclose(figure.axes[0].images[0].get_array(), np.moveaxis(datum, 0, -1) / 255, rtol=1e-6)


def test_values_beyond_the_bounds_are_drawn_at_them():
    figure = Figure()
    plot_data(figure.subplots(), np.array([[-10.0, 0.0], [5.0, 99.0]]), 0.0, 10.0)
    np.testing.assert_allclose(figure.axes[0].images[0].get_array(), [[0, 0], [0.5, 1]])
    assert figure.axes[0].images[0].get_clim() == (0, 1)


@pytest.mark.filterwarnings("error")
def test_constant_data_can_be_drawn(tmp_path):
    for shape in SHAPES.values():
        figure = plot_reproductions({"data": torch.full((2, *shape), 7.0)})
        pixels(figure, tmp_path)
        arrays = drawn(figure)
        assert len(arrays) == 2
        assert all((array == 0).all() for array in arrays)


@pytest.mark.filterwarnings("error")
def test_reproductions_with_gradients_can_be_drawn():
    with_gradients, without = (plot_reproductions({"data": x}) for x in (data((8, 6)).requires_grad_(), data((8, 6))))
    np.testing.assert_array_equal(drawn(with_gradients), drawn(without))


def test_columns_are_drawn_on_scales_of_their_own():
    x = torch.tensor([[0.0, 1e6], [0.01, 3e6], [0.005, 2e6]])
    figure = plot_reproductions({"data": x, "reproduction": x + torch.tensor([0.01, 0.0])})
    first, second = np.array(drawn(figure)[:3]), np.array(drawn(figure)[3:])
    np.testing.assert_allclose(first, [[0, 0], [1, 1], [0.5, 0.5]])
    np.testing.assert_allclose(second, [[1, 0], [2, 1], [1.5, 0.5]], rtol=1e-6)
    assert {axes.get_ylim() for axes in figure.axes} == {(-0.1, 1.1)}


@pytest.mark.parametrize("shape", [(1, 5, 6), (5, 6, 1), (4, 5, 6), (5, 6, 2)])
def test_other_channels_are_drawn_by_their_mean(shape):
    x = data(shape, 1)
    (picture,) = drawn(plot_reproductions({"data": x}, (0.0, 255.0)))
    np.testing.assert_allclose(picture, x[0].mean(int(np.argmin(shape))) / 255, rtol=1e-5)


@pytest.mark.parametrize("shape", [(3, 5, 4), (5, 4, 3)], ids=["channels first", "channels last"])
def test_three_channels_are_colours_first_or_last(shape):
    (picture,) = drawn(plot_reproductions({"data": data(shape, 1)}))
    assert picture.shape == (5, 4, 3)


@pytest.mark.parametrize(
    ("shape", "models"),
    [
        pytest.param(SHAPES["image"], 3, marks=pytest.mark.slow),
        (SHAPES["colour"], 1),
        (SHAPES["vector"], 1),
        *(
            pytest.param(SHAPES[name], 1, marks=pytest.mark.slow)
            for name in ("image", "many axes", "one channel", "row")
        ),
    ],
)
def test_comparison(tmp_path, shape, models):
    found = {f"model {i}": data(shape, 12, i) for i in range(1, models + 1)}
    figure = plot_comparison(data(shape, 12), found, (0.0, 255.0), shown=2)
    # Originals, then reproductions and errors for each model; histograms; a colour bar.
    assert len(figure.axes) == 2 * (1 + 2 * models) + models + 1
    pixels(figure, tmp_path)
    x, one = data(shape, 12).numpy(), found["model 1"].numpy()
    errors = [axes for axes in figure.axes if axes.images and axes.images[0].get_cmap().name == "RdBu_r"]
    assert len(errors) == 2 * models
    expected = (one - x)[0].reshape(-1, *np.atleast_2d(x[0]).shape[-2:]).mean(0)
    np.testing.assert_allclose(errors[0].images[0].get_array(), expected, rtol=1e-5)
    histogram = next(axes for axes in figure.axes if axes.get_title() == "model 1")
    heights = [bar.get_height() for bar in histogram.patches[:80]]
    edges = np.histogram_bin_edges(np.concatenate([x.ravel(), *(f.numpy().ravel() for f in found.values())]), 80)
    np.testing.assert_allclose(heights, np.histogram(x, edges, density=True)[0], rtol=1e-5)


def test_comparison_of_more_models_than_colours():
    found = {f"model {i}": data((8, 6), 3, i) for i in range(8)}
    figure = plot_comparison(data((8, 6)), found, (0.0, 255.0), shown=2)
    assert {axes.get_title() for axes in figure.axes} >= set(found)


def test_comparison_draws_errors_with_their_sign():
    x = torch.full((1, 8, 6), 100.0)
    figure = plot_comparison(x, {"darker": x - 50}, (0.0, 255.0), shown=1)
    error = next(axes for axes in figure.axes if axes.get_ylabel() == "error").images[0]
    assert (error.get_array() == -50).all()
    low, high = error.get_clim()
    assert low == -high < -50


@pytest.mark.parametrize("epochs", [1, 5])
@pytest.mark.filterwarnings("error")
def test_history(tmp_path, epochs):
    history = History([Epoch(i, i, -10.0 / i, -11.0 / i, 1.0, 1.0 * i) for i in range(1, epochs + 1)])
    figure = plot_history(history)
    pixels(figure, tmp_path)
    axes = figure.axes[0]
    training, validation, best = axes.lines
    assert training.get_xdata().tolist() == list(range(1, epochs + 1))
    assert training.get_ydata().tolist() == [-10.0 / i for i in range(1, epochs + 1)]
    assert validation.get_ydata().tolist() == [-11.0 / i for i in range(1, epochs + 1)]
    assert best.get_xdata()[0] == epochs
    assert axes.get_ylabel() == "nats per datum"


@pytest.mark.filterwarnings("error")
def test_history_of_a_run_that_stopped_at_once(tmp_path):
    pixels(plot_history(History()), tmp_path)
    nan = float("nan")
    figure = plot_history(History([Epoch(1, 1, -3.0, nan, 1.0, 1.0)]))
    pixels(figure, tmp_path)
    assert figure.axes[0].lines[0].get_ydata().tolist() == [-3.0]


def test_figures_need_no_display_and_leave_no_trace(tmp_path):
    before = dict(mpl.rcParams)
    save_figure(tmp_path / "a.png", plot_reproductions({"data": data((8, 6))}))
    assert dict(mpl.rcParams) == before
    pyplot = pytest.importorskip("matplotlib.pyplot")
    assert pyplot.get_fignums() == []


def test_windows_are_lines_each_on_a_scale_of_its_own():
    x = np.stack([np.linspace(-1, 1, 30), 1000 + 50 * np.linspace(0, 1, 30) ** 2], -1)[None].repeat(3, 0)
    limits = limits_of(x, (1, 2))
    np.testing.assert_array_equal(limits, [[[-1.0, 1000.0]], [[1.0, 1050.0]]])
    assert limits_of(x, ()) == (-1.0, 1050.0)
    axes = Figure().subplots()
    plot_data(axes, x[0], *limits)
    assert [line.get_ydata()[[0, -1]].tolist() for line in axes.lines] == [[0.0, 1.0], [0.0, 1.0]]
    assert not axes.images
    picture = Figure().subplots()
    plot_data(picture, x[0], *limits_of(x))
    assert not picture.lines
    figure = plot_reproductions({"data": torch.from_numpy(x)}, limits)
    assert all(len(one.lines) == 2 for one in figure.axes)
