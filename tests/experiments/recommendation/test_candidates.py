"""Which observations come in question for a variable, and why the others do not."""

import math

import numpy as np
import pytest

from obsvae.data import Grid, load
from obsvae.data.tables.schemas.families import innermost
from obsvae.errors import UsageError
from obsvae.experiments.comparison.acceptance import require_comparable
from obsvae.experiments.recommendation.candidates import on_their_grids, questions
from obsvae.experiments.recommendation.listing.rules import RULES
from obsvae.model import OBSERVATIONS, WRAPPERS, make_observation, on_common_scale

pandas = pytest.importorskip("pandas")
N = 400
RANDOM = np.random.default_rng(0)
Z = RANDOM.normal(size=N)
IS_ZERO = RANDOM.random(N) < 0.4
AMOUNTS = np.where(IS_ZERO, 0.0, 100 * np.exp(Z))
COLUMNS = {
    "real": Z + RANDOM.normal(size=N),
    "skewed": RANDOM.gamma(1.0, size=N) - 0.5,
    "tenths": np.round(Z, 1) * 2,
    "positive": np.exp(Z),
    "amounts": AMOUNTS,
    "cents": np.round(AMOUNTS, 2),
    "share": RANDOM.beta(2, 3, size=N),
    "closed share": np.clip(np.round(0.5 + 0.4 * Z, 2), 0, 1),
    "angle": RANDOM.vonmises(2, 1, size=N),
    "degrees": RANDOM.integers(0, 360, size=N).astype(float),
    "counts": RANDOM.poisson(np.exp(Z)),
    "extra zeros": np.where(IS_ZERO, 0, RANDOM.poisson(6, size=N)),
    "die": RANDOM.integers(1, 7, size=N),
    "alike": RANDOM.integers(3, 6, size=N),
    "of ten": RANDOM.binomial(10, 1 / (1 + np.exp(-Z))),
    "whole": np.round(5 * Z),
    "two": (Z > 0).astype(int),
    "colour": RANDOM.choice(["red", "green", "blue"], size=N),
    "grade": RANDOM.choice(["1", "2", "3"], size=N),
}
SCHEMA = {
    "columns": {
        "degrees": {"observation": "von-mises", "bounds": [0, 360]},
        "grade": {"observation": "ordinal"},
        "of ten": {"observation": "binomial", "bounds": [0, 10]},
    }
}
ARRAYS = {
    "vectors": lambda: load(RANDOM.normal(size=(200, 3))),
    "digits": lambda: load("digits"),
    "binary images": lambda: load(RANDOM.random((100, 4, 4)) < 0.3),
    "counts matrix": lambda: load(RANDOM.poisson(3, size=(200, 4))),
    "images from 0 to 1": lambda: load((load("digits").train.numpy()[:300] / 16).astype(np.float32)),
}


@pytest.fixture(scope="module")
def table():
    return load(pandas.DataFrame(COLUMNS), schema=SCHEMA)


@pytest.fixture(scope="module")
def asked(table):
    return {question.name: question for question in questions(table)}


def texts(question):
    return [candidate.observation for candidate in question.candidates]


def refusals(question):
    return {one.observation: one.why for one in question.refused}


def names_of(question):
    """Return the names of all families and wrappers that a question speaks of."""
    said = [*texts(question), *refusals(question)]
    return {innermost(text) for text in said} | {name for text in said for name in WRAPPERS if name in text}


def test_there_is_a_rule_for_each_family_and_each_wrapper():
    assert set(RULES) == set(OBSERVATIONS) | set(WRAPPERS)


@pytest.mark.parametrize("name", COLUMNS)
def test_each_family_comes_in_question_for_a_column_or_is_refused(asked, name):
    assert names_of(asked[name]) == set(RULES)
    assert all(one.why and "\n" not in one.why and "; " not in one.why[-3:] for one in asked[name].refused)


@pytest.mark.parametrize("name", ARRAYS)
def test_each_family_comes_in_question_for_an_array_or_is_refused(name):
    (question,) = questions(ARRAYS[name]())
    assert question.name == ""
    assert names_of(question) == set(RULES)


def test_all_candidates_can_be_trained_and_ranked_on_the_grids_of_the_questions(table, asked):
    data = on_their_grids(table, list(asked.values()))
    for d, column in enumerate(data.columns):
        alone = load(
            pandas.DataFrame({column.name: table.train[:, d].numpy()}),
            schema={"columns": {column.name: {"observation": "normal"}}},
        )
        alone = type(alone)(**{**vars(alone), "columns": (column,), "grid": None})
        made = {text: make_observation(text, alone) for text in texts(asked[column.name])}
        for observation in made.values():
            require_comparable(observation, alone)
        assert set(on_common_scale(made, alone.grids)) == set(made)


@pytest.mark.parametrize(
    ("name", "wanted", "refused"),
    [
        ("real", ["normal", "normal:scale=decoder", "student-t", "laplace"], ["log-normal", "poisson", "logistic"]),
        ("skewed", ["normal", "transformed:transform=yeo-johnson,inner=normal"], ["gamma", "von-mises"]),
        ("tenths", ["normal", "discretised:inner=normal", "discretised:inner=student-t"], ["discretised"]),
        ("positive", ["normal", "log-normal", "gamma", "weibull", "log-normal:scale=decoder"], ["zero-inflated"]),
        ("amounts", ["zero-inflated:inner=log-normal", "zero-inflated:inner=normal"], ["normal", "log-normal"]),
        ("cents", ["normal", "zero-inflated:inner=log-normal"], ["log-normal", "binomial"]),
        ("share", ["beta", "continuous-bernoulli", "logit-normal", "truncated-normal", "normal"], ["bernoulli"]),
        ("closed share", ["discretised:inner=beta", "discretised:inner=zero-inflated,inner=beta"], ["laplace"]),
        ("angle", ["normal", "von-mises"], ["beta"]),
        ("degrees", ["normal", "von-mises"], ["gamma", "poisson", "ordinal"]),
        ("counts", ["poisson", "negative-binomial", "zero-inflated:inner=poisson", "normal"], ["student-t", "gamma"]),
        ("extra zeros", ["zero-inflated:inner=poisson", "zero-inflated:inner=negative-binomial"], ["log-normal"]),
        ("die", ["ordinal:categories=7", "categorical:categories=7", "binomial:n=6"], ["bernoulli"]),
        ("alike", ["ordinal:categories=6", "binomial:n=5"], ["poisson", "negative-binomial", "zero-inflated"]),
        ("of ten", ["binomial", "normal"], ["poisson", "negative-binomial"]),
        ("whole", ["normal", "discretised:inner=normal", "discretised:inner=laplace"], ["poisson", "ordinal"]),
        ("two", ["bernoulli", "normal"], ["categorical", "ordinal", "beta"]),
        ("colour", ["categorical"], ["normal", "ordinal"]),
        ("grade", ["ordinal", "categorical", "normal"], ["bernoulli", "laplace"]),
    ],
)
def test_what_comes_in_question(asked, name, wanted, refused):
    assert set(wanted) <= set(texts(asked[name]))
    assert set(refused) <= set(refusals(asked[name]))


@pytest.mark.parametrize("name", COLUMNS)
def test_they_come_in_the_order_of_their_complexity_which_no_two_share(asked, name):
    of = [one.complexity for one in asked[name].candidates]
    assert of == sorted(set(of))


@pytest.mark.parametrize("name", [name for name in COLUMNS if name != "colour"])
def test_a_habit_is_always_among_those_that_can_be_scored(asked, name):
    assert any(one.is_habit for one in asked[name].candidates)


@pytest.mark.parametrize(
    ("name", "grid"),
    [
        ("real", None),
        ("positive", None),
        ("amounts", None),
        ("tenths", Grid(0.0, 0.2, None)),
        ("cents", Grid(0.0, 0.01, None)),
        ("closed share", Grid(0.0, 0.01, 101)),
        ("counts", Grid(0.0, 1.0, None)),
        ("colour", Grid(0.0, 1.0, 3)),
    ],
)
def test_the_grid_that_they_are_ranked_on(asked, name, grid):
    assert asked[name].grid == grid


def test_a_refusal_names_the_value(asked):
    assert refusals(asked["positive"])["poisson"].startswith("poisson needs x a whole number from 0, but found")
    assert "but found 0 in row" in refusals(asked["amounts"])["log-normal"]
    assert refusals(asked["real"])["gamma"].startswith("gamma needs x above 0, but found -")
    assert refusals(asked["amounts"])["normal"].startswith(f"{100 * IS_ZERO.mean():.3g} % of the values are exactly 0")
    assert "('blue' and others)" in refusals(asked["colour"])["ordinal"]


def test_counts_that_vary_less_than_any_poisson_refuse_it_whatever_z_says(asked):
    mean, variance = COLUMNS["alike"].mean(), COLUMNS["alike"].var()
    assert f"{variance / mean:.2g} of the mean" in refusals(asked["alike"])["poisson"]


def test_counts_with_fewer_zeros_than_a_poisson_have_none_to_inflate():
    x = 1 + RANDOM.negative_binomial(1, 0.5, size=2000)
    x[:60] = 0
    (question,) = questions(load(pandas.DataFrame({"x": x})))
    assert f"fewer than a Poisson's of their mean ({100 * math.exp(-x.mean()):.2g} %)" in " ".join(
        refusals(question).values()
    )


def test_images_are_ranked_by_masses_whether_stored_as_bytes_or_divided():
    (of_floats,) = questions(ARRAYS["images from 0 to 1"]())
    assert of_floats.grid == Grid(0.0, 1 / 16, 17)
    (of_bytes,) = questions(load("digits"))
    assert of_bytes.grid == Grid(0.0, 1.0, 17)
    wanted = {"unnormalised-bernoulli", "normal", "discretised:inner=logistic,scale=decoder", "categorical", "binomial"}
    assert wanted <= set(texts(of_bytes))
    assert wanted - {"categorical", "binomial"} <= set(texts(of_floats))


def test_one_column_may_be_asked_for(table):
    (question,) = questions(table, ["counts"])
    assert question.name == "counts"
    with pytest.raises(UsageError, match="unknown column 'count'; did you mean 'counts'"):
        questions(table, ["count"])
    with pytest.raises(UsageError, match="asked for once each, but 'counts'"):
        questions(table, ["counts", "counts"])
    with pytest.raises(UsageError, match="columns go with a table"):
        questions(load(RANDOM.normal(size=(50, 2))), ["a"])


def test_a_family_of_ones_own_is_tried(table, monkeypatch):
    class Own(OBSERVATIONS["normal"]):
        """A Normal of one's own."""

    monkeypatch.setitem(OBSERVATIONS, "own", Own)
    (question,) = questions(table, ["real"])
    assert "own" in texts(question)
