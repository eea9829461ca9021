"""Differences by trials that share the rows alone, on simulated trials."""

import math

import numpy as np
import pytest

from obsvae.experiments.recommendation.confirming.scores import against, leaders_of
from obsvae.experiments.recommendation.confirming.unpaired import best_of_trials, surely_behind, unpaired_differences
from obsvae.inference import Difference


def simulated(rng, trials, *, rows=200, of_trial=0.05, means=None):
    """Return scores by candidate, of as many trials each, which differ by row, by trial, and by both."""
    shared = 3 * rng.normal(size=rows)
    scores = {}
    for place, number in enumerate(trials):
        mean = 0.0 if means is None else means[place]
        own = 0.5 * rng.normal(size=rows)
        scores["abcdefgh"[place]] = [
            shared + mean + own + of_trial * rng.normal() + 0.2 * rng.normal(size=rows) for _ in range(number)
        ]
    return scores


# A trial of each, some with more, and rounds of all; errors by rows alone, by both, by the trials above all.
@pytest.mark.parametrize("of_trial", [0.0, 0.05, 0.3])
@pytest.mark.parametrize(
    ("trials", "most"), [([1, 2, 2], 0.045), ([2, 2, 5, 5], 0.035), pytest.param([4] * 6, 0.03, marks=pytest.mark.slow)]
)
def test_two_standard_errors_cover_as_often_as_they_should(trials, most, of_trial):
    rng = np.random.default_rng(0)
    beyond = [unpaired_differences(simulated(rng, trials, of_trial=of_trial), "a", 2.0)["b"] for _ in range(1500)]
    # In one direction 2.3 % should be beyond.
    assert np.mean([one.mean < -2 * one.standard_error for one in beyond]) < most


@pytest.mark.parametrize("erratic", [1.0, 6.0])
def test_few_of_many_that_are_equal_are_behind_the_luckiest_in_any_round(erratic):
    rng = np.random.default_rng(1)
    dropped, of, lost = 0, 0, 0
    for _ in range(150):
        whole = simulated(rng, [4] * 6, of_trial=0.2)
        whole["f"] = [rows + erratic * 0.2 * rng.normal() for rows in whole["f"]] if erratic > 1 else whole["f"]
        alive = set(whole)
        for trials in range(1, 5):
            behind = surely_behind({one: whole[one][:trials] for one in alive}, 3.0)
            if trials == 1:
                assert behind == {}
            alive -= {one for one in behind if one != "f"}
        dropped, of, lost = dropped + 6 - len(alive), of + 5, lost + (len(alive) < 6)
    assert dropped / of < 0.01
    assert lost / 150 < 0.04


def test_what_is_behind_the_two_best_is_dropped():
    rng = np.random.default_rng(8)
    found = [surely_behind(simulated(rng, [3] * 5, means=[0, 0, -0.6, 0, 0]), 3.0) for _ in range(60)]
    assert np.mean(["c" in one for one in found]) > 0.9
    two = [surely_behind(simulated(rng, [4, 4], means=[0, -0.6]), 3.0) for _ in range(60)]
    assert np.mean(["b" in one for one in two]) > 0.9


def test_one_to_which_a_row_is_impossible_is_behind():
    scores = simulated(np.random.default_rng(9), [2, 2, 2])
    scores["c"][0][5] = -np.inf
    assert surely_behind(scores, 3.0)["c"] == Difference(-math.inf, 0.0)


def test_trials_that_scored_fewer_rows_are_held_against_others_on_these():
    rng = np.random.default_rng(10)
    shared = 2 * rng.normal(size=200)
    scores = {"a": [shared + 0.1 * rng.normal(size=200)], "b": [shared - 0.5 + 0.1 * rng.normal(size=200)]}
    kind = np.argsort(shared)[-25:]  # by these rows alone any candidate looks good
    scores["b"] = [np.where(np.isin(np.arange(200), kind), rows, np.nan) for rows in scores["b"]]
    assert best_of_trials(scores) == "a"
    assert unpaired_differences(scores, "a", 2.0)["b"].mean == pytest.approx(-0.5, abs=0.1)


def test_a_difference_that_is_there_is_found():
    rng = np.random.default_rng(2)
    found = [unpaired_differences(simulated(rng, [2] * 5, means=[0, -0.6, 0, 0, 0]), "a", 3.0)["b"] for _ in range(100)]
    assert np.mean([one.mean < -3 * one.standard_error for one in found]) > 0.9
    assert np.mean([one.mean for one in found]) == pytest.approx(-0.6, abs=0.03)


def test_trials_that_differ_by_what_stands_beside_them_tell_little():
    # One stood twice beside a column that spoils the latent: its trials agree, those of the others do not.
    rng = np.random.default_rng(3)
    rows = [rng.normal(size=200) for _ in range(6)]
    spoilt = 0.4
    scores = {
        "a": [rows[0], rows[0] - spoilt],
        "b": [rows[0] - spoilt, rows[0] - spoilt],
        "c": [rows[0] - spoilt, rows[0]],
    }
    found = unpaired_differences(scores, "a", 3.0)
    assert found["b"].mean == pytest.approx(-spoilt / 2)
    assert not found["b"].mean < -3 * found["b"].standard_error


def test_one_that_is_erratic_does_not_hide_the_others():
    rng = np.random.default_rng(4)
    scores = simulated(rng, [3] * 5, means=[0, -0.6, 0, 0, 0])
    scores["c"][1] = scores["c"][1] - 5000
    found = unpaired_differences(scores, "a", 3.0)
    assert found["b"].mean < -3 * found["b"].standard_error
    assert not found["c"].mean < -3 * found["c"].standard_error


def test_of_one_trial_each_the_error_is_what_to_expect():
    scores = simulated(np.random.default_rng(5), [1, 1])
    found = unpaired_differences(scores, "a", 2.0)
    assert found["a"] == Difference(0.0, 0.0)
    d = scores["b"][0] - scores["a"][0]
    by_rows, by_trials = d.var(ddof=1) / 200, 0.02 * d.var(ddof=1)
    assert found["b"].mean == pytest.approx(d.mean())
    # Between that of a Normal and that of Student's t with the two degrees of freedom of what to expect.
    assert 1.0 < found["b"].standard_error / (by_rows + by_trials) ** 0.5 < 2.3


def test_missing_entries_are_left_out_and_one_row_tells_nothing():
    scores = simulated(np.random.default_rng(6), [2, 2])
    part = {name: [rows[:50] for rows in of] for name, of in scores.items()}
    holed = {name: [np.where(np.arange(200) < 50, rows, np.nan) for rows in of] for name, of in scores.items()}
    one, other = unpaired_differences(part, "a", 2.0)["b"], unpaired_differences(holed, "a", 2.0)["b"]
    assert (one.mean, one.standard_error) == pytest.approx((other.mean, other.standard_error))
    single = unpaired_differences({name: [rows[:1] for rows in of] for name, of in scores.items()}, "a", 2.0)["b"]
    assert math.isnan(single.standard_error)
    same = unpaired_differences({"a": [scores["a"][0]], "b": [scores["a"][0]]}, "a", 2.0)
    assert same["b"] == Difference(0.0, 0.0)


def test_what_the_second_rung_had_no_time_for_is_held_against_the_same_reference():
    rng = np.random.default_rng(7)
    first = {"x": simulated(rng, [3, 3, 3], means=[0.0, -0.1, -1.0])}
    second = {"x": {name: dict(enumerate(first["x"][name][:2])) for name in "ab"}}
    leaders = leaders_of({"x": ["a", "b", "c"], "y": ["a"]}, second, first)
    assert leaders == {"x": "a"}  # of y nothing is known
    found = against(leaders, second, first, 2.0)["x"]
    assert found["a"] == Difference(0.0, 0.0)
    paired = np.mean([b - a for a, b in zip(first["x"]["a"][:2], first["x"]["b"][:2], strict=True)])
    assert found["b"].mean == pytest.approx(paired)
    assert found["c"] == unpaired_differences(first["x"], "a", 2.0)["c"]
    assert (
        leaders_of({"x": ["b", "c"]}, {}, first)
        == {"x": best_of_trials({n: first["x"][n] for n in "bc"})}
        == {"x": "b"}
    )
