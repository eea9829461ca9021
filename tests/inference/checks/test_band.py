"""The simultaneous band: its coverage by enumeration, and by simulation."""

import itertools
import math

import numpy as np
import pytest

from obsvae.inference import Calibration
from obsvae.inference.checks.band import simultaneous_band


def within(band, counts, n):
    counts = np.concatenate([[0], np.cumsum(counts)])
    return ((counts >= np.rint(n * band.lower)) & (counts <= np.rint(n * band.upper))).all()


@pytest.mark.parametrize("n", [2, 3, 5, 7])
@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_the_coverage_of_independent_values_by_enumeration(n, level):
    band = simultaneous_band(n, level=level)
    total = 0.0
    for counts in itertools.product(range(n + 1), repeat=n):  # of the values between neighbouring points
        if sum(counts) == n and within(band, counts, n):
            total += math.factorial(n) / math.prod(math.factorial(c) for c in counts) / n**n
    assert band.coverage == pytest.approx(total, rel=1e-12)
    assert band.coverage >= level


@pytest.mark.parametrize(("n", "draws"), [(4, 7), (6, 3), (5, 9), (3, 1)])
@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_the_coverage_of_ranks_among_the_same_draws_by_enumeration(n, draws, level):
    band = simultaneous_band(n, draws, level)
    cells = np.rint(band.at * (draws + 1)).astype(int)
    inside, orders = 0, list(itertools.combinations(range(n + draws), n))  # places of the values, all as probable
    for places in orders:
        ranks = np.array(places) - np.arange(n)  # draws below
        inside += within(band, np.histogram(ranks, cells)[0] if len(cells) > 2 else [n], n)
    assert band.coverage == pytest.approx(inside / len(orders), rel=1e-12)
    assert band.coverage >= level


@pytest.mark.parametrize(("n", "draws"), [(20, None), (200, None), (50, 50), (200, 4000)])
def test_the_coverage_by_simulation(n, draws):
    generator, replications = np.random.default_rng(0), 4000
    band = simultaneous_band(n, draws)

    def values():
        if draws is None:
            return generator.uniform(size=n)
        ranks = np.searchsorted(np.sort(generator.normal(size=draws)), generator.normal(size=n))
        return (ranks + generator.uniform(size=n)) / (draws + 1)

    left = sum(band.is_left_by(values()) for _ in range(replications)) / replications
    error = math.sqrt(0.05 * 0.95 / replications)  # 0.0034
    assert left == pytest.approx(1 - band.coverage, abs=3 * error)
    assert 0.95 <= band.coverage < 0.955


def test_the_coverage_does_not_depend_on_the_number_of_points():
    for n in (499, 501, 5000, 100_000):
        assert 0.95 <= simultaneous_band(n).coverage < 0.9507


def test_a_wrong_distribution_leaves_the_band():
    values = np.random.default_rng(0).uniform(size=200)
    band = simultaneous_band(200)
    assert not band.is_left_by(values)
    for wrong in (values**1.5, 0.2 + 0.6 * values, 0.9 * values):
        assert band.is_left_by(wrong)


def test_a_right_posterior_leaves_the_band_of_calibration_as_seldom_as_it_says():
    n, L, quantities = 200, 99, 4000
    ranks = np.random.default_rng(1).integers(0, L + 1, (n, quantities))
    outside = Calibration({"guide": ranks}, L, {}).outside("guide")
    assert len(outside) / quantities == pytest.approx(0.05, abs=3 * math.sqrt(0.05 * 0.95 / quantities))
