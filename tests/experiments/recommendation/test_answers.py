"""An answer in words: the choice and its worth, the habits, learning, misfits and doubts."""

from dataclasses import replace

import numpy as np
import pytest

from obsvae.data import Grid
from obsvae.experiments.recommendation.question import Refusal
from obsvae.experiments.recommendation.say.answers import say
from obsvae.experiments.recommendation.say.learning import pace_of, trend
from obsvae.experiments.recommendation.say.looks import look_words
from obsvae.experiments.recommendation.say.tables import contenders, overview
from obsvae.experiments.recommendation.say.whole import sentences
from obsvae.inference import Curve, Difference
from tests.experiments.recommendation.made import (
    MISFITS,
    answer,
    clear,
    contender,
    curves,
    dropped,
    look,
    tied,
    whole,
)


def test_a_winner_is_told_with_its_worth_and_every_habit_is_answered():
    said = say(clear(misfits=MISFITS))
    assert said.sentence == (
        "take log-normal for income: better than gamma by 0.31 ± 0.04 nats a row (0.45 bits); normal, which squared "
        "error stands for, costs 2.10 ± 0.10"
    )
    assert said.habits == (
        "Identity with squared error (normal): costs 2.10 ± 0.10 nats a row (3.03 bits)",
        "Sigmoid with cross-entropy: refused, bernoulli: needs x to be 0 or 1, but x holds 812.25",
    )
    assert said.misfits == tuple(misfit.text for misfit in MISFITS)
    assert said.doubts == ()
    assert said.gain == "the other columns tell 0.40 ± 0.05 nats a row beyond its own distribution"


def test_a_tie_takes_the_simplest():
    said = say(tied())
    assert said.sentence.startswith("no difference between normal, log-normal and gamma for income: take the simplest")
    assert said.habits == ("Identity with squared error (normal): this is the choice",)
    assert said.doubts == ()
    of_gamma = replace(tied(), winner="gamma")
    assert say(of_gamma).habits[0].startswith("Identity with squared error (normal): no difference to the choice")


def test_where_time_ran_out_ties_are_not_called_the_same():
    open_one = replace(tied(), winner="gamma", is_open=True)
    said = say(open_one)
    assert said.sentence.startswith(
        "take gamma for income so far, not yet told from normal and log-normal; laplace costs 0.80 ± 0.05"
    )
    (line,) = said.habits
    assert line.startswith("Identity with squared error (normal): not yet told from the choice (")
    assert said.doubts[0] == "time ran out before those that may be as good were told apart"
    told = sentences(whole(*[replace(open_one, question=tied(f"c{i}").question) for i in range(6)]))
    assert "For 6 time did not suffice to tell the choice from others." in told[0]
    assert told[1] == "Identity with squared error was not told from the choice in time for 6 columns."


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ([], "nothing else comes in question"),
        ([dropped("beta")], "the others were dropped early; the nearest, beta: screened: 1.2 nats behind"),
        (
            [dropped("beta"), dropped("gamma", "hopeless: 3 nats behind after 5 epochs", Difference(-0.1, 0.1))],
            "the nearest, gamma: hopeless",
        ),
        ([dropped("beta", "screened: could not be fitted", None)], "dropped early, beta first: screened: could not"),
    ],
)
def test_a_candidate_that_is_left_alone_says_why(others, words):
    said = say(answer("x", [contender("categorical"), *others], winner="categorical"))
    assert said.sentence.startswith("take categorical for x: ")
    assert words in said.sentence


def test_habits_that_were_dropped_or_are_open_are_answered():
    alone = answer("x", [contender("gamma"), dropped("normal")], winner="gamma")
    assert say(alone).habits == (
        "Identity with squared error (normal): dropped, screened: 1.2 nats behind the best marginal",
    )
    opened = contender("normal", -0.3, final=Difference(-0.02, 0.04))
    (line,) = say(answer("x", [contender("gamma"), opened], winner="gamma")).habits
    assert line.endswith("−0.02 ± 0.04 nats a row to the choice on the final rows, which leaves it open")
    both = [contender("gamma"), contender("continuous-bernoulli", -1.0, is_habit=True)]
    refused = [Refusal("bernoulli", "needs 0 or 1"), Refusal("poisson", "needs whole numbers")]
    (line,) = say(answer("x", both, winner="gamma", refused=refused)).habits
    assert line.startswith("Sigmoid with cross-entropy (continuous-bernoulli): costs 1.00")


def test_the_refusal_of_the_wider_family_is_told():
    refused = [
        Refusal("bernoulli", "bernoulli needs 0 or 1"),
        Refusal("continuous-bernoulli", "continuous-bernoulli needs x in [0, 1]"),
    ]
    (line,) = say(answer("x", [contender("gamma")], "gamma", None, refused)).habits
    assert line == "Sigmoid with cross-entropy: refused, continuous-bernoulli needs x in [0, 1]"


def test_what_could_not_be_tried_in_time_is_not_said_to_be_worse():
    untried = contender("normal", nats=None, curves=(), seconds=None, seeds=0)
    untried = replace(untried, difference=None, final=None)
    alone = answer("x", [contender("gamma"), untried], winner="gamma")
    assert say(alone).sentence == "take gamma for x: normal could not be tried in time"
    assert say(alone).habits == ("Identity with squared error (normal): could not be tried in time",)
    assert [line[""] for line in contenders(alone)] == ["take", "not tried"]
    beside = answer("x", [contender("gamma"), contender("beta", -1.0), untried], winner="gamma")
    assert say(beside).sentence.endswith("(1.44 bits); 1 other could not be tried in time")
    (line,) = overview([alone])
    assert line["squared error costs"] == "not tried"
    said = sentences(whole(alone, clear("y")))
    assert "and could not be tried in time for 1 column" in said[2]


def test_what_stands_in_for_a_habit_is_told_as_such():
    instead = contender("zero-inflated:inner=normal", -2.0, is_habit=True)
    refused = [Refusal("normal", "48.7 % are exactly 0"), Refusal("beta", "no bounds")]
    said = say(
        answer("x", [contender("zero-inflated:inner=gamma"), instead], "zero-inflated:inner=gamma", None, refused)
    )
    assert said.sentence.endswith(
        "better than zero-inflated:inner=normal, in squared error's place, by 2.00 ± 0.04 nats a row (2.89 bits)"
    )
    assert said.habits == (
        "Identity with squared error: refused, normal: 48.7 % are exactly 0",
        "Identity with squared error (zero-inflated:inner=normal): costs 2.00 ± 0.04 nats a row (2.89 bits)",
    )
    decoded = contender("normal:scale=decoder", -1.0)
    assert say(answer("x", [contender("gamma"), decoded], winner="gamma")).habits == ()


def test_doubts_are_told():
    better = contender("gamma", -0.3, final=Difference(0.5, 0.1))
    poor = contender("laplace", -1.0, flagged=0.4, seeds=1)
    first, second, third = say(answer("x", [contender("beta"), better, poor], winner="beta")).doubts
    assert first.startswith("gamma is better than the choice on the final rows, by 0.50 ± 0.10 nats a row")
    assert second.endswith("40% of laplace")
    assert third.endswith("not known: laplace")
    (line,) = say(answer("x", [contender("beta", seeds=1), contender("gamma", -1.0, seeds=1)], winner="beta")).doubts
    assert line.endswith("not known: all candidates")


def test_what_the_other_columns_tell_may_be_nothing_or_less():
    assert say(clear(gain=Difference(0.01, 0.05))).gain.endswith("nothing that can be told from chance")
    assert say(clear(gain=Difference(-0.3, 0.05))).gain.endswith("the network has learned less than that says")
    assert say(clear(gain=None)).gain == ""


def test_an_array_has_no_name_and_counts_by_datum():
    found = answer("", [contender("categorical"), contender("normal", -20.0, 0.3)], winner="categorical")
    assert say(found).sentence == (
        "take categorical: better than normal, which squared error stands for, by 20.0 ± 0.3 nats a datum (28.9 bits)"
    )


@pytest.mark.parametrize(
    ("winner", "habit", "direction"),
    [
        ({"curves": curves(rate=3)}, {"curves": curves(rate=3)}, "no harder"),
        ({"curves": curves(rate=9, epochs=60)}, {"curves": curves(rate=3, epochs=60)}, "harder"),
        ({"curves": curves(rate=3, epochs=60)}, {"curves": curves(rate=9, epochs=60)}, "easier"),
        ({"curves": curves(seconds=2.0)}, {"curves": curves(seconds=0.2)}, "harder"),
        ({"diverged": 1}, {"diverged": 0}, "harder"),
        ({"diverged": 1}, {"diverged": 1}, "no harder"),
        ({"curves": ()}, {}, None),
        ({}, {"curves": ()}, None),
    ],
)
def test_learning_is_held_against_the_habit(winner, habit, direction):
    found = answer("x", [contender("gamma", **winner), contender("normal", 0.0, **habit)], winner="gamma")
    assert trend(found) == direction
    said = say(found).learning
    if direction is None:
        assert said == "" or said.startswith("To within 1 % of its best gamma takes 13 epochs")
    else:
        assert said.startswith(f"Learning gets {direction}: to within 1 % of its best gamma takes")
        assert "and normal takes" in said


def test_seeds_that_diverged_are_told_even_without_curves():
    broken = contender("gamma", curves=(), diverged=1)
    assert say(answer("x", [broken], winner="gamma")).learning == "Seeds that diverged: gamma 1 of 2"
    said = say(answer("x", [contender("gamma"), contender("beta", -1.0, diverged=2)], winner="gamma")).learning
    assert said.endswith("seeds that diverged: beta 2 of 2")
    assert say(clear()).learning.endswith("none of 6 trainings diverged")


def test_a_pace_is_the_median_over_seeds():
    steps = np.arange(1.0, 4.0)
    runs = tuple(Curve(steps * scale, np.array(of)) for scale, of in ((1, [-3, -2, -1]), (3, [-1, -2, -3])))
    pace = pace_of(contender("x", curves=(*runs, Curve(steps, np.full(3, np.nan)))))
    assert pace is not None
    assert (pace.epochs, pace.seconds) == (2.0, 3.0)
    assert pace_of(contender("x", curves=())) is None


def test_few_columns_have_a_sentence_each_and_many_have_totals():
    assert sentences(whole(clear())) == [f"{say(clear()).sentence[0].upper()}{say(clear()).sentence[1:]}."]
    few = sentences(whole(clear("a"), tied("b")))
    assert few[0].startswith("Take log-normal for a")
    assert few[1].startswith("No difference between normal, log-normal and gamma for b")
    assert few[2] == (
        "Identity with squared error costs 2.10 ± 0.10 nats a row (3.03 bits) over 1 column and is the choice for "
        "1 column."
    )
    assert few[3] == "Sigmoid with cross-entropy is refused for 1 column."
    assert few[4] == "Learning gets harder for no column."
    slow = [contender("gamma", curves=curves(rate=12, epochs=80)), contender("normal", -1.0)]
    many = [clear(f"a{i}") for i in range(120)] + [tied(f"b{i}") for i in range(70)]
    many += [answer(f"c{i}", slow, winner="gamma") for i in range(10)]
    said = sentences(whole(*many))
    assert said[0] == (
        "Of 200 columns, take log-normal for 120, normal for 70 and gamma for 10. For 130 the choice is better than "
        "all others; for 70 the simplest of those that cannot be told apart is taken."
    )
    opened = [contender("log-normal"), contender("gamma", -0.3, final=Difference(-0.02, 0.04))]
    few_sure = [clear(f"d{i}") for i in range(4)] + [answer("e", opened), answer("f", [contender("log-normal")])]
    assert sentences(whole(*few_sure))[0] == (
        "Of 6 columns, take log-normal for 6. For 4 the choice is better than all others; for 1 the final rows do not "
        "bear the choice out; for 1 there was nothing to hold it against."
    )
    assert "costs 262 ± 12 nats a row (378 bits) over 130 columns" in said[1]
    assert said[-1] == "Learning gets harder for 10 of 130 columns: c0, c1, c2, c3, c4 and 5 more."


def test_what_values_look_like_is_told_in_a_line():
    said = look_words(clear().question)
    assert said.startswith("270 values, 30 missing, from 0.5 to 812, 250 distinct")
    assert said.endswith("ranked by density in data units")
    shown = look(
        share_zero=0.487, low=0.0, share_low=0.487, is_whole=True, dispersion=3.0, tail=np.inf, heaped=(10, 0.6)
    )
    said = look_words(answer("x", look=shown, grid=Grid(0.0, 0.5, None)).question)
    for words in ("48.7% at 0", "variance over mean 3", "tails beyond measure", "60% on whole multiples of 10"):
        assert words in said
    assert said.count("at 0") == 1
    assert said.endswith("ranked by mass of grid cells of 0.5")
    assert look_words(answer("x", look=look(levels=4)).question) == (
        "270 values, 30 missing, 4 levels; ranked by probability of the level"
    )
    assert "circular with period 360" in look_words(answer("x", look=look(period=360.0)).question)
