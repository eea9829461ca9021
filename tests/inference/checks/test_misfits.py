"""What data have that a model does not say, and that a right model says everything."""

from types import SimpleNamespace

import numpy as np
import pytest

from obsvae.inference import Predictive, check_misfits, misfits

rng = np.random.default_rng(6)
N, S = 500, 10_000


def column(name, kind="REAL", levels=None):
    return SimpleNamespace(name=name, kind=SimpleNamespace(name=kind), levels=levels, bounds=None, grid=None, unit="")


def normal(n):
    return rng.normal(size=(n, 4))


def inflated(n, share, inner):
    return np.where(rng.random((n, 4)) < share, 0, inner)


WRONG = {
    "half zero": (inflated(N, 0.487, normal(N)), normal(S), ["% of the values are exactly 0", "gives that no mass"]),
    "more zeros": (
        inflated(N, 0.5, rng.gamma(2.0, size=(N, 4))),
        inflated(S, 0.2, rng.gamma(2.0, size=(S, 4))),
        ["exactly 0, and the model gives that a mass of "],
    ),
    "heavy": (rng.standard_t(2, (N, 4)), normal(S), ["lie beyond the model's quantiles at 0.1 % and 99.9 %"]),
    "below 0": (
        rng.gamma(1, size=(N, 4)),
        1 + normal(S),
        ["% of what the model draws is below ", "the least of"],
    ),
    "above": (np.minimum(normal(N), 1), normal(S), ["is above 1, the greatest", "are exactly 1"]),
    "no zeros": (rng.gamma(1, size=(N, 4)), inflated(S, 0.2, rng.gamma(1, size=(S, 4))), ["No value is exactly 0"]),
}


@pytest.mark.parametrize(("observed", "simulated", "words"), WRONG.values(), ids=WRONG)
def test_what_a_wrong_model_does_not_say(observed, simulated, words):
    found = misfits(Predictive(observed, simulated))
    said = " | ".join(map(str, found))
    assert all(word in said for word in words), said
    assert [one.size for one in found] == sorted((one.size for one in found), reverse=True)


def test_the_size_of_a_spike_is_the_share_that_lacks():
    observed = np.zeros((200, 1))
    observed[:120, 0] = rng.normal(size=120)
    (spike,) = misfits(Predictive(observed, rng.normal(size=(S, 1))))
    assert spike.text == "40.0 % of the values are exactly 0, and the model gives that no mass"
    assert spike.size == pytest.approx(0.4)


@pytest.mark.parametrize("n", [30, 500])
@pytest.mark.parametrize(
    "draw",
    [
        normal,
        lambda n: rng.standard_cauchy((n, 4)),
        lambda n: rng.poisson(0.7, (n, 4)).astype(float),
        lambda n: inflated(n, 0.5, rng.gamma(1.0, size=(n, 4))),
        lambda n: np.repeat(rng.random((n, 1)) < 0.5, 4, 1) * 1.0,  # entries of a row that depend on one another
        lambda n: np.repeat(rng.normal(size=(n, 1)), 4, 1),
    ],
    ids=["normal", "cauchy", "counts", "mass at 0", "binary", "dependent"],
)
def test_a_right_model_says_everything(draw, n):
    assert misfits(Predictive(draw(n), draw(20 * n))) == ()


def test_columns_are_looked_at_each_by_itself():
    columns = [column("x"), column("u"), column("colour", "CATEGORY", ("red", "blue")), column("right")]
    reds = (rng.random(N) < 0.2) * 1.0, (rng.random(S) < 0.5) * 1.0
    observed = np.stack([inflated(N, 0.4, normal(N))[:, 0], rng.uniform(-1.7, 1.7, N), reds[0], normal(N)[:, 0]], 1)
    observed[::3, 3] = np.nan
    lower = rng.uniform(-1.7, 1.7, S) - 1.7 * (rng.random(S) < 0.5)  # of a quarter of the model's draws too many
    lower = np.where(lower < -1.7, lower + 1.7, lower)
    simulated = np.stack([normal(S)[:, 0], lower, reds[1], normal(S)[:, 0]], 1)
    found = {one.column: one for one in misfits(Predictive(observed, simulated), columns)}
    assert set(found) == {"x", "u", "colour"}
    assert str(found["x"]).startswith("'x': ")
    assert "exactly 0, and the model gives that no mass" in found["x"].text
    assert "distribution functions of data and model differ by 0.2" in found["u"].text
    assert "of the values are 'red', and the model gives that a mass of" in found["colour"].text


def test_models_are_checked_by_their_draws(linear_gaussian):
    problem = linear_gaussian()
    x = problem.draw(400)
    assert check_misfits(problem.model, x) == ()
    (found,) = check_misfits(problem.model, 4 * x)
    assert "beyond the model's quantiles" in found.text
    assert check_misfits(problem.model, 4 * x) == (found,)
