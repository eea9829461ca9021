"""What the figures of the likelihood draw: curves by particles, and gaps."""

import numpy as np
import pytest

from obsvae.errors import UsageError
from obsvae.inference import amortisation_gap, counts_up_to, diagnose, mean_curves, plot_gaps


def test_curves_are_means_over_the_same_data():
    one, other = np.zeros((40, 4)), np.ones((60, 4))
    one[3, 1] = -np.inf  # a single particle there is worth nothing
    means, kept = mean_curves({"one": one, "other": other}, np.array([0.0, 0.0, np.nan, 0.0]))
    assert kept.tolist() == [True, False, False, True]
    assert means["one"] == pytest.approx(dict.fromkeys([1, 2, 5, 10, 20, 40], 0.0))
    assert list(means["other"]) == [1, 2, 5, 10, 20, 50, 60]
    assert list(means["other"].values()) == pytest.approx([1.0] * 7)
    with pytest.raises(UsageError, match="none of 4 data has an estimate"):
        mean_curves({"one": one}, np.full(4, np.nan))


def test_counts():
    assert counts_up_to(1) == [1]
    assert counts_up_to(60) == [1, 2, 5, 10, 20, 50, 60]
    assert counts_up_to(100) == [1, 2, 5, 10, 20, 50, 100]


def test_the_gap_is_infinite_where_the_guide_alone_fails_and_unknown_where_all_do():
    lost = np.full(50, -np.inf)
    log_w = np.random.default_rng(0).normal(size=(50, 4))
    unknown = np.full(50, np.nan)
    refined = diagnose(np.stack([log_w[:, 0], log_w[:, 1], lost, lost, log_w[:, 1]], 1))
    amortised = diagnose(np.stack([log_w[:, 2], lost, log_w[:, 3], lost, unknown], 1))
    gap = amortisation_gap(refined, amortised)
    assert gap[0] == refined.estimate[0] - amortised.estimate[0]
    assert gap[1] == np.inf
    assert np.isnan(gap[2:]).all()
    (scattered, _) = plot_gaps(refined, amortised).axes
    points = np.concatenate([drawn.get_offsets() for drawn in scattered.collections])
    np.testing.assert_allclose(points, [[refined.estimate[0], gap[0]]])
    with pytest.raises(UsageError, match="none of 2 data has both estimates"):
        plot_gaps(*(diagnose(np.stack([lost, lost], 1)) for _ in range(2)))
