"""The figure of how candidates learn: a line each, named beside its end, however many and however different."""

import itertools

import numpy as np
import pytest

from obsvae.inference import Curve, plot_learning
from obsvae.inference.figures.labels import apart, wrapped
from obsvae.inference.figures.learning_lines import limits, line_of

RISE = np.array([-9.0, -8.0, -7.5, -7.4])


def runs(best=0.0, seeds=3, epochs=4):
    return [Curve(np.arange(1.0, epochs + 1), RISE[:epochs] + best + 0.1 * seed) for seed in range(seeds)]


def written(figure):
    """Return the texts of a figure and where they stand, in pixels."""
    figure.canvas.draw()
    axes = figure.axes[-1]
    return {text.get_text(): text.get_window_extent() for text in axes.texts}


def test_a_candidate_is_one_line_in_the_middle_of_its_seeds():
    line = line_of("a", runs())
    np.testing.assert_allclose(line.middle, RISE + 0.1)
    np.testing.assert_allclose((line.low, line.high), (RISE, RISE + 0.2))
    np.testing.assert_allclose(line.seconds, [1, 2, 3, 4])
    figure = plot_learning({"a": runs(), "b": runs(-1.0)}, "density")
    by_epoch = figure.axes[0]
    lines = [of for of in by_epoch.lines if len(of.get_xdata()) > 1]
    assert len(lines) == 2  # not six
    assert len(by_epoch.collections) == 2  # their bands
    assert "density" in by_epoch.get_ylabel()


def test_a_run_that_has_ended_keeps_its_last_score():
    line = line_of("a", [runs(epochs=2)[0], runs()[0], runs()[0]])
    np.testing.assert_allclose(line.low, [-9, -8, -8, -8])
    np.testing.assert_allclose(line.middle, RISE)


def test_scores_that_are_nan_leave_a_figure():
    broken = Curve(np.arange(1.0, 5.0), np.array([-9.0, -8.0, np.nan, np.nan]))
    line = line_of("a", [broken, *runs(seeds=2)])
    assert np.isneginf(line.low[2:]).all()
    assert np.isfinite(line.middle).all()
    nothing = Curve(np.arange(1.0, 3.0), np.full(2, np.nan))
    figure = plot_learning({"a": [broken], "b": [nothing], "c": []}, "density")
    assert {"a", "b", "c"} <= set(written(figure))
    assert plot_learning({"gone": []}, "density").axes


@pytest.mark.parametrize("gap", [0.0, 0.01, 3.0])
def test_names_stand_apart_beside_the_ends_of_their_lines(gap):
    names = [f"candidate {i}" for i in range(7)] + [
        "discretised:inner=mixture,components=3,inner=logistic,scale=decoder"
    ]
    found = written(plot_learning({name: runs(-gap * i) for i, name in enumerate(names)}, "density"))
    boxes = sorted(found.values(), key=lambda box: box.y0)
    assert len(boxes) == len(names)
    assert all(above.y0 >= below.y1 - 1 for below, above in itertools.pairwise(boxes))
    if gap:  # from best to worst, from above
        heights = [found[name].y0 for name in names[:7]]
        assert heights == sorted(heights, reverse=True)


def test_a_hopeless_candidate_is_grey_and_does_not_stretch_the_axis():
    curves = {name: runs(-0.1 * i) for i, name in enumerate("abcd")}
    figure = plot_learning({**curves, "bad": runs(-5000.0)}, "density")
    low, high = figure.axes[0].get_ylim()
    assert low > -10
    assert high > -7.2
    assert "bad (below: −5007)" in written(figure)
    found = written(plot_learning({**curves, "bad": runs(-5000.0), "worse": runs(-6000.0)}, "density"))
    assert found["bad (below: −5007)"].y0 > found["worse (below: −6007)"].y0
    greys = [line for line in figure.axes[0].lines if line.get_color() == "0.62"]
    assert len(greys) == 1
    assert limits([line_of(name, of) for name, of in curves.items()]) == pytest.approx((low, high))


def test_more_than_eight_have_a_panel_each():
    curves = {f"candidate {i}": runs(-0.1 * i) for i in range(9)}
    figure = plot_learning({**curves, "bad": runs(-5000.0), "gone": []}, "mass of the grid cell")
    titles = [axes.get_title() for axes in figure.axes]
    assert [title.split("\n")[0] for title in titles] == [*curves, "bad", "gone"]
    assert titles[0].endswith("○ epoch 4, 4 s")
    assert titles[-2].endswith("below: −5007")
    assert titles[-1].endswith("nothing to draw")
    assert "mass of the grid cell" in figure.get_supylabel()
    assert "median and range over seeds" in figure.get_supxlabel()
    assert "over seeds" not in plot_learning({name: of[:1] for name, of in curves.items()}, "mass").get_supxlabel()
    assert len(plot_learning({f"c{i}": runs() for i in range(8)}, "mass").axes) == 2


def test_labels_are_moved_no_further_than_they_must():
    np.testing.assert_allclose(apart([1.0, 3.0], [1.0, 1.0], 5.0), [1.0, 3.0])
    np.testing.assert_allclose(apart([2.0, 2.0, 2.0], [1.0, 1.0, 1.0], 5.0), [1.0, 2.0, 3.0])
    np.testing.assert_allclose(apart([5.0, 0.0, 0.1], [1.0, 1.0, 1.0], 5.0), [4.5, 0.5, 1.5])
    np.testing.assert_allclose(apart([0.0, 0.0, 4.0], [1.0, 2.0, 1.0], 4.0), [0.5, 2.0, 3.5])
    assert len(apart([], [], 1.0)) == 0


def test_names_break_between_their_parts():
    name = "discretised:inner=mixture,components=3,inner=logistic,scale=decoder"
    assert "".join(wrapped(name, 30)) == name
    assert all(len(line) <= 30 for line in wrapped(name, 30))
    assert wrapped("price in $", 30) == [r"price in \$"]
