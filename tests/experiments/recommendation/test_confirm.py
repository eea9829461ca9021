"""Which trials are run and what they lead to, with scores that are made up in the place of training."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments.csv_files import columns_text
from obsvae.experiments.files import save_text
from obsvae.experiments.recommendation.confirming import decide as deciding
from obsvae.experiments.recommendation.confirming.clock import Clock
from obsvae.experiments.recommendation.confirming.decide import Course, decide
from obsvae.experiments.recommendation.confirming.effort import Effort
from obsvae.experiments.recommendation.confirming.trial import Trial
from obsvae.experiments.recommendation.question import Candidate, Question, Refusal
from obsvae.experiments.recommendation.say.answers import say
from obsvae.experiments.recommendation.screen import Screening
from obsvae.inference import Difference, TrainingDiverged
from obsvae.inference.training.history import History
from tests.experiments.recommendation.made import look

ROWS = 80
# How good each family is, in nats per datum.
WORTH = {"normal": 0.0, "student-t": 1.0, "laplace": 0.97, "logistic": -9.0, "log-normal": 0.5, "gamma": 0.5}


class Trials:
    """Stands in for training: families have their worth, with noise by row, and by seed and trial."""

    def __init__(self):
        self.run, self.diverging, self.interrupt, self.seconds = [], set(), None, 1.0

    def work(self, trial, callbacks):
        if len(self.run) == self.interrupt:
            raise KeyboardInterrupt
        self.run.append(trial)
        if self.diverging & set(trial.families.values()):
            raise TrainingDiverged("training stopped at step 3", History(stopped="diverged at step 3"))
        own, rows = np.random.default_rng(sum(map(ord, trial.out.name))), np.random.default_rng(7)
        shared = rows.normal(size=ROWS) * 2
        for split, number in trial.rows.items():
            scores = {
                name: (shared + WORTH[trial.families[name]] + own.normal(size=ROWS) * 0.3)[:number]
                for name in trial.scored
            }
            save_text(trial.out / f"{split}.csv", columns_text(scores))
        save_text(trial.out / "curve.csv", columns_text({"seconds": [1.0, 2.0], "score": [-3.0, -2.0]}))
        share = 0.2 if "gamma" in trial.families.values() else 0.0
        return {
            "status": "patience",
            "seconds": 2.0,
            "wall_seconds": self.seconds,
            "epochs": 9,
            "best_epoch": 4,
            "scored_as": "",
            "flagged": {split: dict.fromkeys(trial.scored, share) for split in trial.rows},
        }


@pytest.fixture
def trials(monkeypatch):
    found = Trials()
    monkeypatch.setattr(Trial, "work", lambda trial, callbacks: found.work(trial, callbacks))
    monkeypatch.setattr(deciding, "check_winners", lambda *_: {})
    return found


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3))
    return load(pd.DataFrame({"a": x[:, 0], "b": np.exp(x[:, 1]), "c": x[:, 2]}))


EFFORT = Effort(
    {"latent": 2, "hidden": [8], "architecture": "mlp", "guide": "normal", "prior": "standard-normal"},
    {"epochs": 9, "batch_size": 20, "lr": 1e-3, "patience": 3},
    {"validation": 40, "test": 40},
    20,
    "cpu",
)


def course(folder, minutes=5.0, seeds=2):
    return Course(folder, Clock(minutes), seeds, 0, None, False)


def question(name, *texts, refused=()):
    candidates = tuple(Candidate(text, "made up", text, place) for place, text in enumerate(texts))
    return Question(name, look(name), candidates, tuple(refused))


def unscreened(*questions):
    return {one.name: {} for one in questions}


def screened(question, scores, dropped):
    """Return what a screen would say by differences to the best, of which it has dropped some."""
    return {
        one.observation: Screening(
            one, Difference(9.0, 9.0), scores.get(one.observation), dropped.get(one.observation, "")
        )
        for one in question.candidates
    }


def told(found):
    """Return all numbers of a recommendation but the curves, which are arrays."""
    return [
        [answer.winner, answer.tied, answer.gain, *(replace(one, curves=()) for one in answer.contenders)]
        for answer in found.answers
    ]


A, B = question("a", "normal", "laplace", "student-t", "logistic"), question("b", "log-normal", "gamma")
C = question("c", "normal")


def answers(table, folder, *questions, said=None, **more):
    found = decide(table, questions, said or unscreened(*questions), EFFORT, course(folder, **more))
    return found.recommendation, {one.question.name: one for one in found.recommendation.answers}


def test_one_column_at_a_time_is_swapped_after_a_rung_of_all(table, trials, tmp_path):
    found, by_name = answers(table, tmp_path, A, B, C)
    first = [one for one in trials.run if one.called.startswith("round")]
    assert {one.scored for one in first} == {("a", "b")}
    assert {one.families["c"] for one in trials.run} == {"normal"}
    rounds = [[one for one in first if one.called.startswith(f"round-{turn}")] for turn in range(4)]
    assert [one for turn in rounds for one in turn] == first
    assert {one.families["a"] for one in rounds[0]} == {"normal", "laplace", "student-t", "logistic"}
    # What is behind stands in no later round, and what cannot be told from the best in each.
    assert [len(turn) for turn in rounds[1:]] == sorted((len(turn) for turn in rounds[1:]), reverse=True)
    assert {one.families["a"] for one in rounds[3]} == {"laplace", "student-t"}
    assert all({one.families["b"] for one in turn} == {"log-normal", "gamma"} for turn in rounds)
    second = [one for one in trials.run if one not in first]
    leaders = [one for one in second if one.called == "leaders"]
    assert [one.training["seed"] for one in leaders] == [0, 1]
    for one in second:
        differing = [n for n in one.families if one.families[n] != leaders[0].families[n]]
        assert differing == ([] if one in leaders else list(one.scored))
    assert found.observation == 'by-column:{"a" = "laplace", "b" = "log-normal", "c" = "normal"}'
    assert by_name["a"].tied == ("laplace", "student-t")  # laplace is the simpler
    assert by_name["b"].tied == ("log-normal", "gamma")
    assert by_name["c"].gain is not None
    (behind,) = (one for one in by_name["a"].contenders if one.candidate.observation == "logistic")
    assert re.match(r"behind: (9.9|10)[0-9.]* ± [0-9.]+ nats per datum below the best when all columns", behind.dropped)
    assert behind.seeds == 0


def test_what_is_told_of_a_contender(table, trials, tmp_path):
    found, by_name = answers(table, tmp_path, A, B)
    best, second, *others = by_name["a"].contenders
    assert {one.candidate.observation for one in (best, second)} == {"student-t", "laplace"}
    # The differences are to the winner, which is the simpler of two.
    for which in ("difference", "final"):
        found_of = {one.candidate.observation: getattr(one, which) for one in (best, second)}
        assert found_of["laplace"] == Difference(0.0, 0.0)
        assert found_of["student-t"].mean == pytest.approx(0.03, abs=0.15)
        assert 0.02 < found_of["student-t"].standard_error < 0.2
    assert (best.seeds, best.diverged, best.seconds, len(best.curves)) == (2, 0, 2.0, 2)
    for one in others:
        assert one.dropped.startswith("behind")
        assert (one.difference, one.final, one.nats) == (None, None, None)
    assert found.rows == {"train": 320, "choose": 40, "final": 40}
    assert (found.seeds, found.networks["latent"]) == (2, 2)
    (flagged,) = (text for text in found.warnings if "gamma" in text)
    assert "column 'b': 20 % of the estimates of gamma" in flagged


def test_it_goes_on_where_it_stopped_and_nothing_is_done_twice(table, trials, tmp_path):
    whole, _ = answers(table, tmp_path / "whole", A, B)
    number = len(trials.run)
    for interrupt in (3, 5, number - 1):
        folder = tmp_path / str(interrupt)
        trials.run, trials.interrupt = [], interrupt
        with pytest.raises(KeyboardInterrupt):
            answers(table, folder, A, B)
        trials.interrupt = None
        found, _ = answers(table, folder, A, B)
        assert len(trials.run) == number
        assert told(found) == told(whole)
        answers(table, folder, A, B)
        assert len(trials.run) == number


def test_more_seeds_go_on_from_fewer(table, trials, tmp_path):
    answers(table, tmp_path, A, B, seeds=2)
    before = len(trials.run)
    _, by_name = answers(table, tmp_path, A, B, seeds=3)
    assert {one.training["seed"] for one in trials.run[before:]} == {2}
    assert by_name["a"].contenders[0].seeds == 3


@pytest.mark.parametrize("done", [0, 1, 3, 9, 10])
def test_where_time_runs_out_it_answers_by_what_there_is(done, table, trials, tmp_path, monkeypatch):
    now = SimpleNamespace(time=1000.0)
    monkeypatch.setattr("time.time", lambda: now.time)
    work, trials.seconds = trials.work, 60.0

    def slow(trial, callbacks):
        now.time += 60
        return work(trial, callbacks)

    monkeypatch.setattr(Trial, "work", slow)
    scores = {"student-t": Difference(0.0, 0.0), "laplace": Difference(-2.0, 0.1)}
    said = {"a": screened(A, scores, {"logistic": "screened: far"}), "b": {}}
    found, by_name = answers(table, tmp_path, A, B, said=said, minutes=(done + 0.5) / 0.95)
    assert len(trials.run) == max(1, done)
    # Of a column all is done where what is left of it has two seeds in the second rung.
    second = [one for one in trials.run if not one.called.startswith("round") and "a" in one.scored]
    tried = {(one.families["a"], one.training["seed"]) for one in second}
    is_settled = {("laplace", 0), ("laplace", 1), ("student-t", 0), ("student-t", 1)} <= tried
    which = "'b'" if is_settled else "'a', 'b'"
    assert f"were too few: the answer of {which} rests on fewer trials" in found.warnings[0]
    of_a = by_name["a"]
    assert of_a.is_open == (not is_settled)
    assert say(of_a).sentence.startswith(f"take {of_a.winner} for a so far") == (not is_settled)
    if done < 2:  # one trial tells nothing apart: the screen points at one
        assert (of_a.winner, of_a.tied) == ("student-t", ("student-t",))
        assert {one.final for one in of_a.contenders} == {None}
    else:  # by the screen alone laplace is far behind; by the trials it is as good, and simpler
        assert of_a.tied == ("laplace", "student-t")
        (other,) = (one for one in of_a.contenders if one.candidate.observation == "student-t")
        near = not other.difference.mean > other.difference.standard_error
        assert of_a.winner == ("laplace" if is_settled or near else "student-t")
    assert by_name["a"].contenders[-1].dropped == "screened: far"
    if done == 0:  # what no network was trained for is no result
        assert by_name["a"].tied == ("student-t",)
        assert {one.difference for one in by_name["a"].contenders} == {None}
    more, _ = answers(table, tmp_path, A, B, said=said, minutes=1000)
    assert not any("too few" in text for text in more.warnings)


def test_what_was_cut_is_done_anew_with_more_time_and_only_then(table, trials, tmp_path):
    work = trials.work

    def cut(trial, callbacks):
        return {**work(trial, callbacks), "status": "callback", "was_cut": True, "allowed": trial.seconds}

    trials.work = cut
    found, _ = answers(table, tmp_path, A, B, minutes=5)
    number = len(trials.run)
    assert any("cut for want of time" in text for text in found.warnings)
    answers(table, tmp_path, A, B, minutes=5)
    assert len(trials.run) == number
    trials.work = work
    more, _ = answers(table, tmp_path, A, B, minutes=6)
    assert len(trials.run) == 2 * number
    assert not any("cut for want of time" in text for text in more.warnings)


def test_more_minutes_on_a_slower_machine_lose_nothing(trials, tmp_path, monkeypatch):
    data = load(np.random.default_rng(0).normal(size=(400, 4)))
    asked = question("", "laplace", "student-t")
    now, work, takes = SimpleNamespace(time=1000.0), trials.work, SimpleNamespace(seconds=60)
    monkeypatch.setattr("time.time", lambda: now.time)

    def cut(trial, callbacks):
        now.time += takes.seconds
        return {**work(trial, callbacks), "status": "callback", "was_cut": True, "allowed": trial.seconds}

    trials.work, trials.seconds = cut, 60.0
    _, first = answers(data, tmp_path, asked, minutes=5)
    assert [one.seeds for one in first[""].contenders] == [2, 2]
    takes.seconds = 200
    _, again = answers(data, tmp_path, asked, minutes=6)
    assert 4 < len(trials.run) < 8  # some were begun anew, for the others there was no time
    assert [one.seeds for one in again[""].contenders] == [2, 2]
    assert not list(tmp_path.glob("trials/*.before"))


def test_what_was_cut_is_not_dropped_for_being_behind(trials, tmp_path):
    data = load(np.random.default_rng(0).normal(size=(400, 4)))
    work = trials.work

    def cut(trial, callbacks):
        return {**work(trial, callbacks), "was_cut": "logistic" in trial.families.values(), "allowed": trial.seconds}

    trials.work = cut
    _, by_name = answers(data, tmp_path, question("", "laplace", "student-t", "logistic", "normal"))
    dropped = {one.candidate.observation: one.dropped for one in by_name[""].contenders}
    assert dropped["normal"].startswith("behind")
    assert dropped["logistic"] == ""


def test_a_column_without_held_out_values_is_said_to_be_one(table, trials, tmp_path, monkeypatch):
    monkeypatch.setitem(WORTH, "log-normal", np.nan)
    monkeypatch.setitem(WORTH, "gamma", np.nan)
    trials.diverging = {"log-normal"}
    found, by_name = answers(table, tmp_path, A, B)
    assert not any("too few" in text for text in found.warnings)
    assert (by_name["b"].winner, by_name["b"].is_open) == ("gamma", False)
    trials.diverging = set()
    found, by_name = answers(table, tmp_path / "both", A, B)
    assert any(text.startswith("no held-out value of 'b' is there to score by") for text in found.warnings)
    assert say(by_name["b"]).sentence == "take log-normal for b: no held-out value tells it from gamma"


def test_rounds_end_where_one_column_is_left(table, trials, tmp_path):
    answers(table, tmp_path, question("a", "normal", "logistic"), B)
    rounds = [one for one in trials.run if one.called.startswith("round")]
    # logistic is far behind, which two trials show
    assert [one.called for one in rounds] == ["round-0-0", "round-0-1", "round-1-0", "round-1-1"]


def test_one_that_diverges_is_left_out_and_told(table, trials, tmp_path):
    trials.diverging = {"student-t"}
    _, by_name = answers(table, tmp_path, A, B)
    (one,) = (one for one in by_name["a"].contenders if one.candidate.observation == "student-t")
    assert one.dropped == "diverged: training stopped at step 3"
    assert (one.diverged, one.seeds) == (1, 1)
    assert by_name["a"].winner == "laplace"
    assert all(one.seeds == 2 for one in by_name["b"].contenders)


def test_where_all_diverge_there_is_no_answer(table, trials, tmp_path):
    trials.diverging = {"student-t", "laplace", "logistic", *(one.observation for one in B.candidates)}
    with pytest.raises(UsageError, match=r"all \d+ trainings failed; the first: training stopped at step 3"):
        answers(table, tmp_path, A, B)


def test_one_that_leads_and_diverges_makes_way(table, trials, tmp_path):
    trials.diverging = {"student-t"}
    said = {"a": screened(A, {"student-t": Difference(0.0, 0.0)}, {}), "c": {}}
    # With one question in question there is no rung of all, in which it would be found out.
    _, by_name = answers(table, tmp_path, A, C, said=said)
    assert by_name["a"].winner == "laplace"
    assert by_name["c"].winner == "normal"


def test_an_array_has_one_candidate_a_trial(trials, tmp_path):
    data = load(np.random.default_rng(0).normal(size=(400, 4)))
    found, by_name = answers(data, tmp_path, question("", "normal", "laplace", "student-t", "logistic"))
    assert all(set(one.families) == {""} for one in trials.run)
    assert [one.families[""] for one in trials.run[:4]] == ["normal", "laplace", "student-t", "logistic"]
    assert len(trials.run) == 7  # one is behind after its first seed
    assert found.observation == by_name[""].winner == "laplace"
    assert by_name[""].gain is None


def test_a_loss_that_is_no_likelihood_is_not_taken_where_one_is_as_good(trials, tmp_path, monkeypatch):
    data = load(np.random.default_rng(0).normal(size=(400, 4)))
    asked = question("", "laplace", "student-t")
    loss, likelihood = asked.candidates
    asked = replace(asked, candidates=(replace(loss, is_likelihood=False), likelihood))
    said = {"": screened(asked, {"laplace": Difference(0.0, 0.0), "student-t": Difference(-0.1, 0.2)}, {})}
    _, by_name = answers(data, tmp_path / "both", asked)
    assert (by_name[""].winner, by_name[""].tied) == ("student-t", ("student-t", "laplace"))
    monkeypatch.setattr(Clock, "left", -1.0)  # no trial at all
    _, by_name = answers(data, tmp_path / "none", asked, said=said)
    assert by_name[""].winner == "student-t"


def test_habits_are_tried_right_after_the_leader(trials, tmp_path):
    data = load(np.random.default_rng(0).normal(size=(400, 4)))
    asked = question("", "normal", "laplace", "student-t", "gamma")
    asked = replace(asked, candidates=tuple(replace(c, is_habit=c.observation == "gamma") for c in asked.candidates))
    said = {"": screened(asked, {"laplace": Difference(0.0, 0.0), "normal": Difference(-0.5, 0.2)}, {})}
    answers(data, tmp_path, asked, said=said)
    assert [one.families[""] for one in trials.run[:4]] == ["laplace", "gamma", "normal", "student-t"]


def test_what_looks_wrong_in_the_data_is_told_first(trials, tmp_path):
    x = np.random.default_rng(0).normal(50, 5, size=400)
    data = load(pd.DataFrame({"a": np.where(np.arange(400) % 10 == 0, -999.0, x), "b": np.exp(x / 50)}))
    found, _ = answers(data, tmp_path, A, B)
    assert "-999" in found.warnings[0]
    assert any("estimates of gamma" in text for text in found.warnings[1:])


def test_a_question_that_is_settled_costs_nothing(table, trials, tmp_path):
    found, _ = answers(table, tmp_path, C)
    assert [one.called for one in trials.run] == ["leaders", "leaders"]
    assert found.answers[0].tied == ("normal",)
    trials.run.clear()


def test_a_question_without_candidates_is_refused(table, trials, tmp_path):
    nothing = question("a", refused=[Refusal("normal", "needs a number")])
    with pytest.raises(UsageError, match="no observation comes in question for column 'a', such as: needs a number"):
        answers(table, tmp_path, nothing)


@pytest.mark.parametrize(
    ("scores", "leader"),
    [
        ({"normal": (0.0, 0.0), "normal:scale=decoder": (1e-9, 0.0)}, "normal"),  # the same model but for rounding
        ({"normal": (-0.3, 0.4), "normal:scale=decoder": (0.0, 0.0)}, "normal"),
        ({"normal": (-0.3, 0.1), "normal:scale=decoder": (0.0, 0.0)}, "normal:scale=decoder"),
        ({"normal": (-0.3, 0.4), "normal:scale=decoder": (0.0, 0.0), "loss": (5.0, 0.0)}, "normal"),
        ({"normal": None, "normal:scale=decoder": None}, "normal"),
        ({"normal": None, "normal:scale=decoder": (0.0, 0.0)}, "normal:scale=decoder"),
    ],
)
def test_the_simplest_leads_of_those_that_the_screen_cannot_tell_apart(scores, leader):
    worth = {"normal": 100, "normal:scale=decoder": 1100, "loss": 0}
    candidates = tuple(
        Candidate(text, "", text, worth[text], is_likelihood=text != "loss") for text in sorted(scores, key=worth.get)
    )
    found = {
        one.observation: Screening(one, None, score and Difference(*score))
        for one in candidates
        for score in [scores[one.observation]]
    }
    question = Question("x", look("x"), candidates, ())
    assert deciding._standing(question, found).leader == leader
