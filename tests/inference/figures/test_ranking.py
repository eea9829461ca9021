"""Figures of a comparison: every candidate is named, and can be told from the others."""

import itertools

import pytest

from obsvae.inference import Difference, plot_against, plot_ranking


@pytest.mark.parametrize(
    ("means", "scale"),
    [
        ([0.0, -0.02, -0.31, -2.1], "linear"),
        ([0.0, -1.0, -20.0, -6000.0], "symlog"),
        ([0.0], "linear"),
        ([0.0, 0.0], "linear"),
    ],
)
def test_a_ranking_tells_small_differences_beside_large_ones(means, scale):
    names = ["normal", "price in $", "discretised:inner=mixture,components=3,inner=logistic,scale=decoder", "gone"]
    found = {name: Difference(mean, abs(mean) / 10) for name, mean in zip(names, means, strict=False)}
    figure = plot_ranking(found, "density in data units", "the winner")
    figure.canvas.draw()
    axes = figure.axes[0]
    shown = [text.get_text().replace("\n", "").replace("\\", "") for text in axes.get_yticklabels()]
    assert shown == names[: len(means)]
    assert axes.get_xscale() == scale
    assert axes.get_xlabel().startswith("difference to the winner, nats per datum")
    low, high = axes.get_xlim()
    assert all(low < mean * 1.2 <= 0 < high for mean in means)
    at = [axes.transData.transform((mean, 0))[0] for mean in means]
    assert all(first - second > 3 for first, second in itertools.pairwise(at) if len(set(means)) > 1)
    ticks = [text.get_window_extent() for text in axes.get_xticklabels() if text.get_text()]
    shown_ticks = [box for box in ticks if axes.bbox.x0 - 1 <= (box.x0 + box.x1) / 2 <= axes.bbox.x1 + 1]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(shown_ticks))


def test_panels_name_their_lines():
    panels = {"exact": {"a": {0.0: 1.0, 1.0: 2.0}, "b": {0.0: 3.0}}, "clamped": {"a": {0.0: 1.0}}}
    against = plot_against(panels, "γ", "nats", linear=10.0)
    assert [axes.get_title() for axes in against.axes] == ["exact", "clamped"]
    assert [t.get_text() for t in against.axes[0].get_legend().get_texts()] == ["a", "b"]
    assert against.axes[0].lines[0].get_color() == against.axes[1].lines[0].get_color()
