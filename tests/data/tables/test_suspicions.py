"""What looks wrong in a table, and what does not."""

import numpy as np
import pytest

from obsvae.data.inspection.suspicion import together
from obsvae.data.tables.guessing.guesses import guess_table
from obsvae.data.tables.guessing.suspicions import signs
from obsvae.data.tables.schemas.schema import Schema, schema_from
from tests.data.tables.tables import numbers, table, texts

rng = np.random.default_rng(2)
N = 300
AGES = rng.integers(18, 90, N)
REALS = np.round(rng.normal(50, 10, N), 3)


def with_some(values, other, times=5):
    made = np.asarray(values).astype(object)
    made[:: len(made) // times][:times] = other
    return made


def suspected(values, said=None):
    schema = schema_from({"columns": {} if said is None else {"x": said}})
    column = numbers(values) if isinstance(values, np.ndarray) and values.dtype.kind == "f" else texts(*values)
    return " | ".join(one.text for one in signs(guess_table(table(x=column), schema)))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (with_some(AGES, -999), ["-999", "rows", "missing"]),
        (with_some(AGES, -99), ["-99"]),
        (with_some(AGES, 999), ["999"]),
        (with_some(AGES, -1), ["-1 "]),
        (with_some(REALS, -9999), ["-9999"]),
        (with_some(with_some(AGES, -999), -99, 7), ["-999", "-99 "]),
        (np.where(rng.random(N) < 0.2, 60.0, REALS), ["% are exactly 60"]),
        (np.minimum(REALS, 60.0), ["are exactly 60 (its greatest value)"]),
        (rng.integers(1, 6, N), ["5 distinct whole numbers", "ordinal"]),
        (rng.binomial(40, 0.95, N) - 20, ["distinct whole numbers"]),
        (np.round(rng.random(N), 3), ["all within 0 and 1", "bounds = [0, 1]"]),
        ([0.5, 100, 0, *(f"{v:.1f}" for v in rng.uniform(0, 100, N))], ["percentages", "bounds = [0, 100]"]),
        (rng.integers(0, 360, N), ["angles", "von-mises", "bounds = [0, 360]"]),
        (np.round(rng.uniform(0, 360, N), 1), ["angles"]),
        (with_some(REALS, "n/d", 2), ["'n/d' in row 0, 'n/d' in row 150"]),
        (rng.choice(["none", "brick"], N), ["'none' is taken for a level"]),
        (rng.choice(["Male", "male", "F"], N), ["'Male' and 'male'", "capitals"]),
        ([f"town {i % 60}" for i in range(N)], ["60 levels"]),
        ([f"{i}.0" for i in rng.integers(0, 99, N)], ["all multiples of 1", "grid = 1 "]),
        ([f"{i / 10}" for i in rng.integers(1, 12, N)], ["grid = 0.1"]),
        (
            np.where(rng.random(N) < 0.9, 0, rng.integers(3000, 9000, N)),
            ["% are 0, and", "zero-inflated"],
        ),
    ],
)
def test_what_is_suspected(values, words):
    said = suspected(values)
    assert all(word in said for word in words), said


@pytest.mark.parametrize(
    "values",
    [AGES, REALS, rng.poisson(1.5, N), rng.choice(["no", "yes"], N), rng.gamma(1.0, size=N) * 10, 9 + 90 * (AGES % 2)],
)
def test_what_is_not_suspected(values):
    assert suspected(values) == ""


def test_what_is_declared_is_not_doubted():
    assert suspected(rng.integers(1, 6, N), {"observation": "ordinal"}) == ""
    assert suspected(with_some(AGES, -999), {"role": "ignore"}) == ""


def test_duplicates_are_told_and_columns_of_the_same_stand_together():
    columns = {"a": REALS, "b": REALS, "c": rng.choice(["x", "y"], N), "d": rng.integers(1, 6, N), "e": AGES % 5 + 1}
    found = together(signs(guess_table(table(**columns, f=columns["c"]), Schema())))
    said = {one.text.partition(":")[0]: one.columns for one in found}
    assert said["the same as 'a' in every row"] == ("b",)
    assert said["the same as 'c' in every row"] == ("f",)
    assert said["5 distinct whole numbers"] == ("d", "e")


def test_numbers_that_cover_no_turn_are_no_angles():
    assert "angles" not in suspected(rng.integers(0, 300, N))
    assert "angles" not in suspected(rng.integers(0, 400, N))
    assert "angles" not in suspected(rng.integers(90, 360, N))
    assert "angles" not in suspected(rng.choice([0, 90, 180, 270, 360], N))


@pytest.mark.parametrize(("low", "family"), [(1, "log-normal"), (0, "zero-inflated:inner=log-normal")])
def test_whole_numbers_that_float32_does_not_hold_are_a_density_and_say_so(low, family):
    values = np.maximum(np.exp(rng.normal(20, 2, N)).astype(np.int64), 1)
    values[:40] = low
    (guess,) = guess_table(table(x=texts(*values)), Schema())
    assert guess.column.observation == family
    assert guess.column.grid is None
    assert "too large for float32" in guess.reason
