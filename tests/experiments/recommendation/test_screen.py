"""Candidates scored without a latent: what is dropped, and what a marginal alone would have dropped."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from obsvae.data import load
from obsvae.experiments.recommendation.candidates import on_their_grids, questions
from obsvae.experiments.recommendation.question import Candidate
from obsvae.experiments.recommendation.screen import screen
from obsvae.experiments.recommendation.screening.sample import sample
from obsvae.experiments.recommendation.screening.score import scores

pandas = pytest.importorskip("pandas")
N = 900
MIXTURE = "mixture:components=2,inner=normal"


@pytest.fixture(scope="module")
def table():
    """Return columns of one z, which has two modes."""
    rng = np.random.default_rng(0)
    z = np.where(rng.random(N) < 0.5, -1.5, 1.5) + 0.3 * rng.normal(size=N)
    p = 1 / (1 + np.exp(-z))
    return load(
        pandas.DataFrame(
            {
                "normal": z + 0.4 * rng.normal(size=N),
                "other": 2 * z + rng.normal(size=N),
                "third": -z + 0.5 * rng.normal(size=N),
                "counts": rng.poisson(np.exp(1.0 + 0.6 * z)),
                "amounts": np.exp(0.7 * z + 0.4 * rng.normal(size=N)),
                "of ten": rng.binomial(10, p),
                "extra zeros": np.where(rng.random(N) < 0.4, 0, rng.poisson(6, size=N)),
                "lonely": rng.standard_t(2, size=N),
            }
        )
    )


ASKED = {
    "normal": ["normal", "student-t", "normal:scale=decoder", MIXTURE],
    "counts": ["poisson", "normal", "negative-binomial"],
    "of ten": ["binomial:n=10", "normal", "ordinal:categories=11"],
    "amounts": ["normal", "log-normal", "gamma", "weibull", "student-t"],
    "extra zeros": ["zero-inflated:inner=poisson", "normal", "negative-binomial"],
    "lonely": ["normal", "laplace", "student-t", "normal:scale=decoder", MIXTURE],
}


@pytest.fixture(scope="module")
def asked(table):
    """Return questions with a few candidates each."""
    found = {}
    for question in questions(table, list(ASKED)):
        some = [one for one in question.candidates if one.observation in ASKED[question.name]]
        assert len(some) == len(ASKED[question.name])
        found[question.name] = replace(question, candidates=tuple(some))
    return found


@pytest.fixture(scope="module")
def screened(table, asked):
    return {name: screen(question, table) for name, question in asked.items()}


def left(found):
    return [text for text, one in found.items() if not one.dropped]


def test_two_modes_that_a_latent_explains_leave_the_normal(screened):
    found = screened["normal"]
    assert not found["normal"].dropped
    by_itself, given = found["normal"].marginal, found["normal"].given_others
    assert by_itself.mean < -10 * by_itself.standard_error  # where the mixture wins
    assert found[MIXTURE].marginal.mean == 0
    assert given.mean > -4 * given.standard_error - 0.02


@pytest.mark.parametrize(("column", "truth"), [("counts", "poisson"), ("of ten", "binomial:n=10")])
def test_counts_that_a_latent_spreads_leave_the_family_without_a_dispersion(screened, column, truth):
    found = screened[column]
    assert not found[truth].dropped
    gain = found[truth].given_others.mean - found[truth].marginal.mean
    assert gain > 0.1  # of what it lacks by itself the others explain most


@pytest.mark.parametrize(
    ("column", "truth"),
    [("amounts", "log-normal"), ("extra zeros", "zero-inflated:inner=poisson"), ("lonely", "student-t")],
)
def test_the_true_family_goes_on(screened, column, truth):
    assert truth in left(screened[column])


def test_habits_go_on_and_few_others(screened):
    for found in screened.values():
        habits = [text for text, one in found.items() if one.candidate.is_habit]
        assert habits
        assert set(habits) <= set(left(found))
        assert len(left(found)) <= len(habits) + 4


def test_every_other_one_says_why_it_is_dropped(asked, screened):
    for name, question in asked.items():
        found = screened[name]
        assert set(found) == {one.observation for one in question.candidates}
        for one in found.values():
            assert not one.dropped or one.dropped.startswith("screened: ")


def test_what_cannot_win_whatever_z_explains_is_called_so(screened):
    assert "more than what z could explain makes up for" in screened["amounts"]["student-t"].dropped


def test_of_a_group_the_simplest_stands_for_all(screened):
    assert "says nearly what gamma says" in screened["amounts"]["weibull"].dropped


def test_a_candidate_that_cannot_be_fitted_is_dropped_with_the_reason(table, asked):
    impossible = Candidate("log-normal", "", "log-normal", 1)
    question = replace(asked["normal"], candidates=(asked["normal"].candidates[0], impossible))
    found = screen(question, table)["log-normal"]
    assert found.marginal is None
    assert found.dropped.startswith("screened: ")


def test_the_same_seed_gives_the_same_numbers(table, asked, screened):
    assert screen(asked["counts"], table) == screened["counts"]


def test_a_column_by_itself_has_no_others_to_be_given():
    x = np.random.default_rng(0).normal(size=200)
    data = load(pandas.DataFrame({"x": x}))
    (question,) = questions(data)
    for one in screen(replace(question, candidates=question.candidates[:2]), data).values():
        assert one.marginal == one.given_others


def test_held_out_scores_are_those_of_the_fitted_density():
    rng = np.random.default_rng(0)
    data = load(pandas.DataFrame({"x": rng.normal(3.0, 2.0, size=900), "y": rng.normal(size=900)}))
    of = sample(data, "x", 0)
    fitted, scored = of.fitted[:, 0].double().numpy(), of.scored[:, 0].double().numpy()
    mean, spread = fitted.mean(), fitted.std()
    wanted = -0.5 * ((scored - mean) / spread) ** 2 - np.log(spread * np.sqrt(2 * np.pi))
    assert scores("normal", of, 0).marginal == pytest.approx(wanted, abs=0.02)


def test_rows_that_are_scored_are_not_fitted(table):
    of = sample(table, "normal", 0)
    assert not set(of.fitted[:, 0].tolist()) & set(of.scored[:, 0].tolist())
    assert not set(of.fitted[:, 0].tolist()) & set(table.validation[:, 0].tolist())
    assert not set(table.test[:, 0].tolist()) & {*of.fitted[:, 0].tolist(), *of.scored[:, 0].tolist()}


def test_rows_without_the_column_are_left_out():
    rng = np.random.default_rng(0)
    x = np.where(rng.random(300) < 0.3, np.nan, rng.normal(size=300))
    data = load(pandas.DataFrame({"x": x, "y": rng.normal(size=300)}))
    of = sample(data, "x", 0)
    assert not of.fitted.isnan().any()
    assert not of.fitted_inputs.isnan().any()


def test_of_an_array_some_features_stand_for_all():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(400, 1))
    x = np.concatenate([z + 0.3 * rng.normal(size=(400, 40)), np.ones((400, 5))], 1)  # five do not vary
    data = load(x)
    (question,) = questions(data)
    of = sample(on_their_grids(data, [question]), "", 0)
    assert of.fitted.shape[1] == 8
    assert of.scale == 45 / 8
    assert torch.equal(of.data.train.std(0) > 0, torch.ones(8, dtype=torch.bool))
    assert "normal" in left(screen(replace(question, candidates=question.candidates[:2]), data))


def test_an_array_of_one_feature_has_no_others():
    data = load(np.random.default_rng(0).normal(size=(120, 1)))
    (question,) = questions(data)
    found = screen(question, data)
    assert any(one.marginal is not None and not one.dropped for one in found.values())
