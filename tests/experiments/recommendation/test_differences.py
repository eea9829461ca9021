"""Differences of scores: what their standard errors hold, on simulated trials."""

import math

import numpy as np
import pytest
import scipy.stats

from obsvae.experiments.recommendation.confirming.differences import best_of, differences
from obsvae.experiments.verdicts.rules import is_worse
from obsvae.inference import Difference


def simulated(rng, *, rows, seeds, of_seed, means=(0.0, 0.0), of_row=1.0):
    """Return scores of candidates that differ by row, by row and seed, and as a whole by seed."""
    shared = rng.normal(size=rows) * 3
    scores = {}
    for name, mean in zip("abcdef", means, strict=False):
        own = rng.normal(size=rows) * of_row / 2**0.5
        whole = {s: rng.normal() * of_seed / 2**0.5 for s in range(seeds)}
        noise = {s: rng.normal(size=rows) * of_row / 2 for s in range(seeds)}
        scores[name] = {s: shared + mean + own + whole[s] + noise[s] for s in range(seeds)}
    return scores


# Errors by the rows alone, by both alike, and by the seeds above all.
@pytest.mark.parametrize("of_seed", [0.0, 0.1, 0.3])
@pytest.mark.parametrize(("columns", "seeds", "most"), [(1, 2, 0.055), (1, 4, 0.035), (8, 2, 0.035)])
def test_two_standard_errors_cover_as_often_as_they_should(columns, seeds, most, of_seed):
    rng = np.random.default_rng(0)
    missed, total, rounds = 0, 0, 800 // columns
    for _ in range(rounds):
        scales = rng.uniform(0.5, 2.0, size=columns)
        questions = {
            f"{d}": simulated(rng, rows=100, seeds=seeds, of_seed=of_seed * scale, of_row=scale)
            for d, scale in enumerate(scales)
        }
        found = differences(questions, dict.fromkeys(questions, "a"))
        missed += sum(is_worse(of["b"]) for of in found.values())
        total += columns
    # In one direction 2.3 % should be beyond; of two seeds alone it is more.
    assert missed / total < most


def test_a_difference_that_is_there_is_found():
    rng = np.random.default_rng(1)
    found = [
        differences({"": simulated(rng, rows=200, seeds=2, of_seed=0.05, means=(0.0, -0.8))}, {"": "a"})[""]["b"]
        for _ in range(50)
    ]
    assert np.mean([is_worse(one) for one in found]) > 0.9
    assert np.mean([one.mean for one in found]) == pytest.approx(-0.8, abs=0.05)


def test_one_seed_has_the_error_of_paired_rows_and_of_what_to_expect_of_seeds():
    scores = simulated(np.random.default_rng(2), rows=50, seeds=1, of_seed=0.0)
    d = scores["b"][0] - scores["a"][0]
    found = differences({"": scores}, {"": "a"})[""]
    assert found["a"] == Difference(0.0, 0.0)
    assert found["b"].mean == pytest.approx(d.mean())
    by_rows, by_seeds = d.var(ddof=1) / 50, 0.02 * d.var(ddof=1)
    welch = (by_rows + by_seeds) ** 2 / (by_rows**2 / 49 + by_seeds**2 / 2)
    quantile = scipy.stats.t.isf(scipy.stats.norm.sf(2), welch)
    assert found["b"].standard_error == pytest.approx((by_rows + by_seeds) ** 0.5 * quantile / 2)


def test_where_nothing_is_expected_of_seeds_one_has_the_error_of_paired_rows():
    scores = simulated(np.random.default_rng(2), rows=5000, seeds=1, of_seed=0.0)
    d = scores["b"][0] - scores["a"][0]
    found = differences({"": scores}, {"": "a"}, expected=(0.0, 0.0))[""]["b"]
    assert found.standard_error == pytest.approx(d.std(ddof=1) / 5000**0.5, rel=1e-3)


def test_seeds_that_disagree_widen_it_and_other_columns_calm_it():
    rng = np.random.default_rng(3)
    noise = {name: [rng.normal(size=400) * 0.1 for _ in range(2)] for name in "ab"}
    scores = {
        "a": dict(enumerate(noise["a"])),
        "b": {0: noise["b"][0] - 0.5, 1: noise["b"][1] - 0.1},
    }
    calm = {f"{d}": simulated(rng, rows=400, seeds=2, of_seed=0.0) for d in range(10)}
    alone = differences({"": scores}, {"": "a"})[""]["b"]
    beside = differences({"": scores, **calm}, {"": "a", **dict.fromkeys(calm, "a")})[""]["b"]
    assert alone.mean == beside.mean == pytest.approx(-0.3, abs=0.02)
    assert not is_worse(alone)
    assert 0.1 < beside.standard_error < 0.7 * alone.standard_error


def test_missing_entries_are_left_out():
    scores = simulated(np.random.default_rng(4), rows=60, seeds=2, of_seed=0.1)
    whole = differences({"": {n: {s: x[:50] for s, x in of.items()} for n, of in scores.items()}}, {"": "a"})
    for by_seed in scores.values():
        for x in by_seed.values():
            x[50:] = np.nan
    assert differences({"": scores}, {"": "a"}) == whole
    assert best_of(scores) == ("b" if whole[""]["b"].mean > 0 else "a")


def test_one_seed_puts_few_of_many_that_are_equal_behind_the_luckiest():
    rng = np.random.default_rng(6)
    behind, of = 0, 0
    for _ in range(100):
        scores = {"": simulated(rng, rows=200, seeds=1, of_seed=0.2, means=[0.0] * 6)}
        found = differences(scores, {"": best_of(scores[""])}, errors=3.0)[""]
        behind += sum(one.mean < -3 * one.standard_error for one in found.values())
        of += 5
    assert behind / of < 0.02


def test_one_to_which_a_row_is_impossible_is_worse():
    scores = simulated(np.random.default_rng(7), rows=50, seeds=2, of_seed=0.1)
    scores["b"][1][3] = -np.inf
    found = differences({"": scores}, {"": "a"})[""]["b"]
    assert found == Difference(-math.inf, 0.0)
    assert is_worse(found)


def test_the_best_is_told_by_the_seeds_that_both_have():
    easy, hard = np.arange(9.0), np.arange(9.0) - 5  # one seed is kinder to all
    scores = {"a": {1: easy}, "b": {0: hard + 0.1, 1: easy + 0.1}, "c": {0: hard, 1: easy}}
    assert best_of(scores) == "b"  # by the means of all seeds it would be a


def test_what_cannot_be_told_is_a_tie():
    row = {"a": {0: np.array([1.0])}, "b": {0: np.array([0.0])}}
    found = differences({"": row}, {"": "a"})[""]["b"]
    assert found.mean == -1
    assert math.isnan(found.standard_error)
    assert not is_worse(found)
    other = {"a": {0: np.zeros(9)}, "b": {1: np.arange(9.0)}}  # seeds of which they share none
    assert math.isnan(differences({"": other}, {"": "a"})[""]["b"].standard_error)
    same = {"a": {0: np.ones(9)}, "b": {0: np.ones(9)}}
    assert differences({"": same}, {"": "a"})[""]["b"] == Difference(0.0, 0.0)
