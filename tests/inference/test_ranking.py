"""Differences between candidates, and how fast they learn."""

import numpy as np
import pytest

from inference import Curve, paired_difference, plot_against, plot_learning, plot_ranking, rank, spread


def test_a_paired_difference_is_free_of_what_the_data_share():
    rng = np.random.default_rng(0)
    hard = rng.normal(size=400) * 50
    noise = rng.normal(size=400)
    found = paired_difference(hard + 1 + noise, hard)
    assert found.mean == pytest.approx((1 + noise).mean())
    assert found.standard_error == pytest.approx(noise.std(ddof=1) / 20)


def test_one_datum_has_no_standard_error():
    assert np.isnan(paired_difference(np.array([1.0]), np.array([0.0])).standard_error)


def test_candidates_are_ranked_by_their_mean_over_seeds_and_data():
    scores = {
        "worse": [np.array([-3.0, -5.0]), np.array([-3.0, -5.0])],
        "best": [np.array([0.0, -2.0]), np.array([-2.0, -4.0])],
    }
    found = rank(scores)
    assert list(found) == ["best", "worse"]
    assert found["best"].mean == found["best"].standard_error == 0
    assert found["worse"].mean == -2
    assert found["worse"].standard_error == 0  # both data are worse by the same


def test_the_spread_over_seeds():
    assert spread([1.0, 3.0]) == pytest.approx(2**0.5)
    assert np.isnan(spread([1.0]))


@pytest.mark.parametrize(
    ("score", "epochs"),
    [
        ([-200, -150, -101.5, -100.9, -100], 4),
        ([-100, -200, -300], 1),  # one that gets worse was best at its first
        ([10, 99, 99.5, 100], 2),  # a density's may be positive
        ([-5], 1),
    ],
)
def test_epochs_to_within_a_hundredth_of_the_best(score, epochs):
    assert Curve(np.arange(len(score)), np.array(score, dtype=float)).epochs_to() == epochs


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
