"""Pareto smoothing of many data at once is ArviZ's of each."""

import warnings

import numpy as np
import pytest
from arviz_stats.base import array_stats

from obsvae.inference.likelihood.pareto import pareto_khat, pareto_smoothed

N = 12
SHAPES = {
    "log-normal": lambda rng, K: rng.normal(size=(K, N)),
    "narrow": lambda rng, K: 0.01 * rng.normal(size=(K, N)) - 1e4,
    "wide": lambda rng, K: 8.0 * rng.normal(size=(K, N)) + 900.0,
    "Pareto": lambda rng, K: np.log(rng.pareto(1.5, size=(K, N)) + 1e-3),
    "bounded": lambda rng, K: np.log(rng.random((K, N))),
    "exponential": lambda rng, K: np.log(rng.exponential(size=(K, N))),
    "a third of them 0": lambda rng, K: np.where(rng.random((K, N)) < 1 / 3, -np.inf, rng.normal(size=(K, N))),
    "with ties": lambda rng, K: np.round(rng.normal(size=(K, N)), 1),
    "float32": lambda rng, K: rng.normal(size=(K, N)).astype(np.float32),
}


def by_arviz(log_w):
    """Return k̂ and the smoothed log-weights of one datum; ArviZ has them add up to one."""
    smoothed, khat = array_stats.psislw(-np.asarray(log_w, dtype=np.float64))
    least = np.argmin(np.where(np.isneginf(log_w), np.inf, log_w))  # no tail holds it
    return float(khat), smoothed + (log_w[least] - smoothed[least])


@pytest.mark.parametrize("K", [30, 33, 100, 224, 226, 500, 1000, 5000])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_numbers_are_those_of_arviz(shape, K):
    log_w = SHAPES[shape](np.random.default_rng(K), K)
    khat, smoothed = pareto_smoothed(log_w)
    compared = 0
    for n in range(N):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected, of_datum = by_arviz(log_w[:, n])
        if np.isnan(expected):  # most of the tail is its least weight
            assert np.isnan(khat[n])
            np.testing.assert_array_equal(smoothed[:, n], log_w[:, n])
            continue
        np.testing.assert_allclose(khat[n], expected, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(np.sort(smoothed[:, n]), np.sort(of_datum), rtol=1e-10, atol=1e-10)
        compared += 1
    assert compared > N / 2


def test_data_do_not_change_one_another_and_more_than_fit_at_once_are_the_same():
    log_w = np.random.default_rng(0).normal(size=(400, 3000))
    log_w[3, 7], log_w[:, 8] = np.nan, -np.inf
    khat, smoothed = pareto_smoothed(log_w)
    for n in (0, 6, 9, 2999):
        alone = pareto_smoothed(log_w[:, [n]])
        assert alone[0][0] == khat[n]
        np.testing.assert_array_equal(alone[1][:, 0], smoothed[:, n])
    assert np.isnan(khat[7])
    assert khat[8] == np.inf
    assert np.isfinite(np.delete(khat, [7, 8])).all()
    np.testing.assert_array_equal(pareto_khat(log_w), khat)


def test_what_is_given_is_not_changed():
    log_w = np.random.default_rng(0).normal(size=(100, 3))
    before = log_w.copy()
    pareto_smoothed(log_w)
    np.testing.assert_array_equal(log_w, before)


def test_no_data_and_few_particles():
    assert pareto_smoothed(np.zeros((100, 0)))[0].shape == (0,)
    khat, smoothed = pareto_smoothed(np.zeros((29, 2)))
    assert np.isnan(khat).all()
    np.testing.assert_array_equal(smoothed, np.zeros((29, 2)))
