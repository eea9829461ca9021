"""Differences between candidates, and how fast they learn."""

import numpy as np
import pytest

from obsvae.inference import Curve, paired_difference, rank, spread


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
