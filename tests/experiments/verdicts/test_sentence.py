"""The sentence that a ranking ends in says what to take, what it is worth, and no more than is known."""

import math

import pytest

from obsvae.experiments.verdicts.habits import CROSS_ENTROPY, SQUARED_ERROR, habit_of
from obsvae.experiments.verdicts.rules import is_better, is_worse
from obsvae.experiments.verdicts.sentence import ranked, sentence
from obsvae.experiments.verdicts.words import listed, measured, number, worth
from obsvae.inference import Difference


@pytest.mark.parametrize(
    ("mean", "error", "text"),
    [
        (0.3124, 0.0412, "0.31 ± 0.04"),
        (-0.3124, 0.0123, "−0.312 ± 0.012"),
        (12.34, 3.4, "12 ± 3"),
        (1234.5, 21.0, "1234 ± 21"),
        (-0.0001, 0.03, "0.00 ± 0.03"),
        (0.0, 0.0, "0"),
        (-2.5, math.nan, "−2.5"),
        (math.nan, 0.1, "–"),
        (-math.inf, 0.1, "−∞"),
        (1e-7, 1e-7, "0.0000 ± 0.0000"),
    ],
)
def test_a_difference_is_as_precise_as_its_error(mean, error, text):
    assert measured(Difference(mean, error)) == text


def test_nats_come_with_bits():
    assert worth(Difference(-0.31, 0.04), "a row", -1) == "0.31 ± 0.04 nats a row (0.45 bits)"
    assert worth(Difference(math.log(2), 0.0), "a datum") == "0.693 nats a datum (1 bit)"
    assert [number(x) for x in (0.0, -0.0004, 999.6, 123456.7, math.nan)] == ["0", "−0.0004", "1000", "123457", "–"]


def test_names_are_listed_in_words():
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed([*"abcdef"]) == "a, b, c, d, e and f"  # and 1 more would be no shorter
    assert listed([*"abcdefgh"]) == "a, b, c, d, e and 3 more"


@pytest.mark.parametrize(
    ("observation", "habit"),
    [
        ("normal", SQUARED_ERROR),
        ("normal:scale=shared", SQUARED_ERROR),
        ("normal:scale=decoder", ""),
        ("normal:scale=shared,link=sigmoid", ""),
        ("bernoulli", CROSS_ENTROPY),
        ("continuous-bernoulli", CROSS_ENTROPY),
        ("unnormalised-bernoulli, mean matched", CROSS_ENTROPY),
        ("discretised:inner=normal", ""),
        ("log-normal", ""),
        ("a family of somebody's", ""),
    ],
)
def test_a_habit_is_a_family_and_its_options(observation, habit):
    assert habit_of(observation) == habit


def test_the_winner_is_held_against_the_next_and_against_habits():
    others = {"gamma": Difference(-0.31, 0.04), "normal": Difference(-2.1, 0.3), "laplace": Difference(-0.5, 0.1)}
    assert sentence("log-normal", ["log-normal"], others, of="income") == (
        "take log-normal for income: better than gamma by 0.31 ± 0.04 nats a row (0.45 bits); normal, which squared "
        "error stands for, costs 2.1 ± 0.3"
    )
    only = {"normal": Difference(-2.1, 0.3)}
    expected = "take beta: better than normal, which squared error stands for, by 2.1 ± 0.3 nats a datum (3.0 bits)"
    assert sentence("beta", ["beta"], only, unit="a datum") == expected
    assert sentence("beta", ["beta"], {}) == "take beta: nothing else was ranked"


def test_a_tie_takes_the_simplest_and_tells_what_the_others_cost():
    tied = ["normal", "logistic", "student-t"]
    said = "no difference between normal, logistic and student-t for x: take the simplest, normal"
    assert sentence("normal", tied, {}, of="x") == said
    others = {"gamma": Difference(-1.0, 0.05), "bernoulli": Difference(-3.0, 0.05)}
    assert sentence("normal", tied, others, of="x") == (
        f"{said}; gamma costs 1.00 ± 0.05 nats a row (1.44 bits); bernoulli, which cross-entropy stands for, costs "
        "3.00 ± 0.05"
    )


def test_what_the_final_rows_leave_open_costs_nothing():
    others = {"normal": Difference(0.01, 0.05), "laplace": Difference(-0.5, 0.05)}
    said = sentence("gamma", ("gamma", "weibull"), others, habits={"normal": SQUARED_ERROR})
    assert "normal, which squared error stands for, is left open (0.01 ± 0.05 nats a row)" in said
    assert "costs" not in said
    said = sentence("gamma", ("gamma", "weibull"), {"laplace": Difference(-0.5, 0.05)})
    assert "laplace costs 0.50 ± 0.05 nats a row" in said


def test_rows_that_do_not_bear_a_choice_out_are_told():
    chosen = {"gamma": Difference(-0.3, 0.05)}
    said = sentence("beta", ["beta"], {"gamma": Difference(-0.02, 0.05)}, chosen=chosen)
    assert said.endswith("on the rows that choose, but on the final rows 0.02 ± 0.05 better, which leaves it open")
    said = sentence("beta", ["beta"], {"gamma": Difference(0.3, 0.05)}, chosen=chosen)
    assert "by 0.30 ± 0.05 nats a row (0.43 bits) on the rows that choose" in said
    assert said.endswith("but on the final rows 0.30 ± 0.05 nats a row worse than gamma, which speaks against it")


def test_an_error_that_is_not_known_tells_nothing():
    assert is_worse(Difference(-1.0, 0.4))
    assert not is_worse(Difference(-1.0, 0.6))
    assert is_better(Difference(1.0, 0.4))
    assert not is_worse(Difference(-1.0, math.nan))
    assert not is_better(Difference(1.0, math.nan))
    assert is_worse(Difference(-0.1, 0.0))


def test_a_ranking_takes_the_smallest_of_those_that_tie():
    found = {"a": Difference(0.0, 0.0), "b": Difference(-0.1, 0.2), "c": Difference(-3.0, 0.2)}
    sizes = {"a": 20, "b": 10, "c": 5}
    assert ranked(found, sizes) == (
        "No difference between a and b: take that with the fewest parameters, b; c costs 3.0 ± 0.2 nats a datum "
        "(4.3 bits)."
    )
    assert "take any of them, such as a" in ranked(found, dict.fromkeys("abc", 10))
    assert "one seed alone" in ranked(found, sizes, seeds=1)
    assert "one seed" not in ranked(found, sizes, seeds=3)
    assert "the estimates of b are in doubt" in ranked(found, sizes, in_doubt=["b"])
    assert ranked({"a": Difference(0.0, 0.0)}, sizes, seeds=1) == "Take a: nothing else was ranked."
