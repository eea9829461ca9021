"""Data from known heads, marginal fits, and how an answer is held against the truth."""

from dataclasses import replace

import numpy as np
import pytest

from obsvae.data.inspection.looking import look_at
from obsvae.experiments.benchmarks.recommendation.draw import draw_array, draw_table, loaded
from obsvae.experiments.benchmarks.recommendation.peer import marginal_family
from obsvae.experiments.benchmarks.recommendation.report import confusion, lines_of, summary, wrong
from obsvae.experiments.benchmarks.recommendation.run import OURS, PEER, outcome_of, peer_outcome, recommendations
from obsvae.experiments.benchmarks.recommendation.truths import TRUTHS, family_of
from obsvae.experiments.recommendation.candidates import questions
from obsvae.experiments.recommendation.question import Candidate, Question
from obsvae.experiments.recommendation.results import Answer, Contender, Recommendation
from obsvae.inference import Difference

pytest.importorskip("pandas")
RANDOM = np.random.default_rng(0)


def answer_of(data, winner, contenders, tied=(), name=""):
    """Return an answer by hand: contenders by text, with the difference to the winner, or None for a dropped one."""
    (look,) = (one for one in look_at(data) if one.name == name)
    made = [
        Contender(Candidate(text, "", "", 1), final=final, dropped="" if final else "screened: behind")
        for text, final in contenders.items()
    ]
    question = Question(name, look, tuple(one.candidate for one in made), ())
    return Answer(question, made, winner, tuple(tied or (winner,)))


@pytest.fixture(scope="module")
def array():
    return loaded(draw_array("poisson", 60, 0))


def test_there_are_at_least_fourteen_families():
    assert len(TRUTHS) >= 14


@pytest.mark.parametrize("name", TRUTHS)
def test_the_truth_is_among_the_candidates_for_an_array(name):
    (question,) = questions(loaded(draw_array(name, 300, 0)))
    assert any(TRUTHS[name].is_right(one.observation) for one in question.candidates)


def test_the_truth_is_among_the_candidates_for_each_column():
    x = draw_table(list(TRUTHS), 300, 1)
    assert all(len(column) == 300 for column in x.values())
    for question in questions(loaded(x)):
        assert any(TRUTHS[question.name].is_right(one.observation) for one in question.candidates), question.name


def test_draws_are_those_of_their_seed():
    assert np.array_equal(draw_array("gamma", 50, 3), draw_array("gamma", 50, 3))
    assert not np.array_equal(draw_array("gamma", 50, 3), draw_array("gamma", 50, 4))


def test_the_features_share_a_latent():
    x = draw_array("normal", 2000, 0)
    correlations = np.abs(np.corrcoef(x.T)[np.triu_indices(8, 1)])
    assert correlations.max() > 0.3  # of independent columns they would be below 0.1


@pytest.mark.parametrize(
    ("observation", "family"),
    [
        ("discretised:inner=normal,scale=decoder", "normal:scale=decoder"),
        ("ordinal:categories=5", "ordinal"),
        ("zero-inflated:inner=negative-binomial", "zero-inflated:inner=negative-binomial"),
        ("mixture:components=2,inner=normal", "mixture:inner=normal"),
        ("binomial:n=12", "binomial"),
        ("beta", "beta"),
    ],
)
def test_families_are_told_without_the_numbers_and_the_grid_of_the_data(observation, family):
    assert family_of(observation) == family


@pytest.mark.parametrize(
    ("family", "x"),
    [
        ("normal", RANDOM.normal(3, 2, size=3000)),
        ("laplace", RANDOM.laplace(size=3000)),
        ("student-t", RANDOM.standard_t(3, size=3000)),
        ("log-normal", RANDOM.lognormal(size=3000)),
        ("gamma", RANDOM.gamma(3, size=3000)),
        ("beta", RANDOM.beta(2, 5, size=3000)),
        ("von-mises", RANDOM.vonmises(2, 1, size=3000)),
        ("poisson", RANDOM.poisson(8, size=3000)),
        ("negative-binomial", RANDOM.negative_binomial(3, 0.1, size=3000)),
        ("bernoulli", RANDOM.random(3000) < 0.3),
        ("categorical", RANDOM.choice(["a", "b", "c"], size=3000)),
    ],
)
def test_marginal_fits_find_a_family_without_a_latent(family, x):
    assert marginal_family([x]) == family


def test_marginal_fits_take_two_modes_of_a_normal_for_something_else():
    z = np.where(RANDOM.random(2000) < 0.5, -2.0, 2.0)
    assert marginal_family([np.exp(z + 0.1 * RANDOM.normal(size=2000))]) != "log-normal"
    assert marginal_family([RANDOM.poisson(np.exp(1 + 0.5 * z))]) != "poisson"


def test_an_answer_is_right_tied_or_declared_wrong(array):
    def of(*args, **kwargs):
        return outcome_of(answer_of(array, *args, **kwargs), "poisson", "array", 60, 0, 1.0)

    zero, far, near = Difference(0.0, 0.0), Difference(-0.3, 0.1), Difference(-0.1, 0.1)
    right = of("poisson", {"poisson": zero})
    assert (right.is_right, right.is_tied, right.is_declared_wrong) == (True, True, False)
    tied = of("normal", {"normal": zero, "poisson": far}, ["normal", "poisson"])
    assert (tied.is_right, tied.is_tied, tied.is_declared_wrong) == (False, True, False)
    unsure = of("normal", {"normal": zero, "poisson": near})
    assert (unsure.is_right, unsure.is_tied, unsure.is_declared_wrong) == (False, False, False)
    declared = of("normal", {"normal": zero, "poisson": far})
    assert (declared.is_right, declared.is_tied, declared.is_declared_wrong) == (False, False, True)
    assert (declared.behind, declared.error, declared.answer) == (-0.3, 0.1, "normal")
    assert of("normal", {"normal": zero, "poisson": None}).is_declared_wrong
    assert of("normal", {"normal": zero}).is_declared_wrong
    untried = answer_of(array, "normal", {"normal": zero})
    untried = replace(untried, contenders=[*untried.contenders, Contender(Candidate("poisson", "", "", 1))])
    assert not outcome_of(untried, "poisson", "array", 60, 0, 1.0).is_declared_wrong


def test_a_marginal_fit_is_forgiven_that_it_knows_no_spread_from_z():
    assert peer_outcome("normal", "normal:scale=decoder", "array", 60, 0, 0.0).is_right
    assert not peer_outcome("laplace", "normal:scale=decoder", "array", 60, 0, 0.0).is_right


def test_the_benchmark_as_a_whole():
    asked = []

    def recommend(data, *, minutes, seeds, seed, progress):
        asked.append((minutes, seeds, seed, progress))
        names = [""] if data.columns is None else [column.name for column in data.columns]
        zero = {"normal": Difference(0.0, 0.0)}
        return Recommendation("", [answer_of(data, "normal", zero, name=name) for name in names], "normal")

    options = {"rows": (60,), "seeds": 2, "truths": ("normal", "poisson", "ordinal"), "progress": False}
    found = [one for of in recommendations(recommend, **options, seed=5) for one in of]
    assert len(found) == 2 * 2 * 3 * 2  # kinds, seeds, truths, methods
    assert {one[2] for one in asked} == {5, 6}
    assert {one.truth for one in found if one.method == OURS and one.is_right} == {"normal"}
    assert {one.truth for one in found if one.method == OURS and one.is_declared_wrong} == {"poisson", "ordinal"}
    ours, peer = (line for line in summary(found).splitlines() if line.startswith("array"))
    assert OURS in ours
    assert ours.split()[-3:] == ["33.3", "33.3", "66.7"]
    assert PEER in peer
    assert "normal in the place of poisson, which was left out" in wrong(found)
    assert "2/4" not in confusion(found)
    assert len(lines_of(found).splitlines()) == 1 + len(found)
