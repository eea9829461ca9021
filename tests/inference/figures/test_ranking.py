"""Figures of a comparison: every candidate is named, and can be told from the others."""

import numpy as np

from obsvae.inference import Curve, plot_against, plot_learning, plot_ranking, rank


def test_figures_name_every_candidate_and_their_scale():
    curves = {f"candidate {i}": [Curve(np.arange(1.0, 4.0), np.array([-9.0, -8.0, -7.5]) - i)] for i in range(9)}
    figure = plot_learning(curves, "mass of the grid cell")
    assert len(figure.axes) == 2
    assert "mass of the grid cell" in figure.axes[0].get_ylabel()
    assert [t.get_text() for t in figure.legends[0].get_texts()] == list(curves)
    looks = {(line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines if line.get_label()[0] != "_"}
    assert len(looks) == 9  # no two alike

    # Of one that diverged with each of its seeds the legend tells, and the best of each other one can be seen.
    figure = plot_learning({**curves, "diverged": []}, "density")
    assert figure.legends[0].get_texts()[-1].get_text() == "diverged"
    low, high = figure.axes[0].get_ylim()
    assert all(low < runs[0].score.max() < high for runs in curves.values())

    ranking = plot_ranking(rank({name: [runs[0].score] for name, runs in curves.items()}), "density")
    assert [t.get_text() for t in ranking.axes[0].get_yticklabels()] == list(curves)

    panels = {"exact": {"a": {0.0: 1.0, 1.0: 2.0}, "b": {0.0: 3.0}}, "clamped": {"a": {0.0: 1.0}}}
    against = plot_against(panels, "γ", "nats", linear=10.0)
    assert [axes.get_title() for axes in against.axes] == ["exact", "clamped"]
    assert [t.get_text() for t in against.axes[0].get_legend().get_texts()] == ["a", "b"]
    assert against.axes[0].lines[0].get_color() == against.axes[1].lines[0].get_color()
