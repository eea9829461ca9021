"""What a column is taken for, where nobody says, and where somebody does."""

import numpy as np
import pytest

from obsvae.data import Grid, Kind
from obsvae.data.tables.guessing.guesses import guess_table
from obsvae.data.tables.raw import RawColumn, RawTable
from obsvae.data.tables.schemas.families import KINDS, OF_TRANSFORMS, kind_of
from obsvae.data.tables.schemas.schema import Schema, schema_from
from obsvae.errors import UsageError
from obsvae.model import OBSERVATIONS, TRANSFORMS
from tests.data.tables.tables import guess, numbers, table, texts

rng = np.random.default_rng(0)
N = 200
WHOLE = Grid(0.0, 1.0, None)
NORMAL = rng.normal(170, 10, N)
COLUMNS = {
    "two texts": (rng.choice(["no", "yes"], N), Kind.BINARY, "bernoulli", Grid(0.0, 1.0, 2)),
    "0 and 1": (rng.integers(0, 2, N), Kind.BINARY, "bernoulli", Grid(0.0, 1.0, 2)),
    "three texts": (rng.choice(["c", "a", "b"], N), Kind.CATEGORY, "categorical", Grid(0.0, 1.0, 3)),
    "counts": (rng.poisson(2.0, N), Kind.COUNT, "negative-binomial", WHOLE),
    "counts without 0": (1 + rng.geometric(0.2, N), Kind.COUNT, "negative-binomial", WHOLE),
    "whole years": (rng.integers(18, 90, N), Kind.POSITIVE, "log-normal", WHOLE),
    "grams": (25 * rng.integers(100, 250, N), Kind.POSITIVE, "log-normal", WHOLE),
    "grades": (rng.binomial(10, 0.6, N) + 3, Kind.POSITIVE, "log-normal", WHOLE),
    "whole, both signs": (rng.normal(0, 50, N).round().astype(int), Kind.REAL, "normal", WHOLE),
    "positive": (rng.gamma(3.0, size=N), Kind.POSITIVE, "log-normal", None),
    "positive with zeros": (
        np.where(rng.random(N) < 0.3, 0.0, rng.gamma(3.0, size=N)),
        Kind.POSITIVE,
        "zero-inflated:inner=log-normal",
        None,
    ),
    "both signs": (rng.normal(size=N), Kind.REAL, "normal", None),
    "heavy tails": (rng.standard_t(1.5, N), Kind.REAL, "student-t", None),
    "shares": (rng.random(N), Kind.POSITIVE, "log-normal", None),
}


NUMBERS = [name for name, (values, *_) in COLUMNS.items() if values.dtype.kind != "U"]


@pytest.mark.parametrize(("name", "as_numbers"), [*((n, False) for n in COLUMNS), *((n, True) for n in NUMBERS)])
def test_the_family_of_a_column(name, as_numbers):
    values, kind, observation, grid = COLUMNS[name]
    column = numbers(values, is_whole=values.dtype.kind == "i") if as_numbers else texts(*values)
    found = guess(column)
    assert (found.column.kind, found.column.observation, found.column.grid) == (kind, observation, grid)
    assert found.column.is_whole is (values.dtype.kind == "i" and kind is not Kind.BINARY)
    assert found.reason
    assert found.schema.role == "observe"


def test_levels_are_in_order_and_numbers_by_their_size():
    assert guess(texts(*"bbbaaacccc")).column.levels == ("a", "b", "c")
    said = {"observation": "ordinal"}
    assert guess(texts(10, 9, 10, 2, 9, 10), said).column.levels == ("2", "9", "10")
    assert guess(texts("1", "1.0", "2", "1"), said).column.levels == ("1", "2")
    assert guess(numbers([1, 2, 1, 2], is_whole=False)).column.levels == ("1", "2")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([None] * 12, "missing"),
        (["a"] * 11 + [None], "constant"),
        ([3.5] * 12, "constant"),
        ([f"B{i:03}" for i in range(12)], "identifier"),
        (range(100, 112), "consecutive"),
        ([f"2020-01-{i + 1:02}" for i in range(12)], "dates"),
        ([f"{i // 2 + 1}/3/2020 12:30" for i in range(12)], "dates"),
        ([f"said {i % 25}" for i in range(45)], "free text"),
    ],
)
def test_columns_that_carry_nothing_are_left_out_with_the_reason(values, reason):
    found = guess(texts(*values))
    assert found.schema.role == "ignore"
    assert found.column is None
    assert reason in found.reason


def test_an_identifier_by_its_name():
    values = texts(*rng.permutation(10_000)[:50])
    for name in ("id", "patient_id", "customerId", "Unnamed: 0"):
        assert guess(values, name=name).schema.role == "ignore"
    for name in ("weight", "width", "paid"):
        assert guess(values, name=name).schema.role == "observe"


def test_what_the_user_says_counts():
    ids = texts(*range(100, 120))
    assert guess(ids, {"role": "observe"}).column.kind is Kind.POSITIVE
    assert guess(ids, {"observation": "normal"}).column.kind is Kind.REAL
    assert guess(ids, {"observation": "normal", "grid": False}).column.grid is None
    assert guess(ids, {"observation": "binomial", "bounds": [0, 200]}).column.grid == Grid(0.0, 1.0, 201)
    assert guess(ids, {"role": "ignore"}).reason == "declared as ignore"
    assert guess(ids, {"levels": [str(i) for i in range(100, 120)]}).column.observation == "categorical"
    assert guess(texts(*"aabb"), {"levels": ["b", "a"]}).column.levels == ("b", "a")
    assert guess(ids, {"unit": "kg", "role": "observe"}).column.unit == "kg"
    own = guess(ids, {"observation": "exponential:rate=2"}).column  # a family of the user's
    assert (own.kind, own.observation) == (Kind.POSITIVE, "exponential:rate=2")


def test_declared_bounds_make_proportions():
    inside = guess(texts(*rng.uniform(0.1, 0.9, N)), {"bounds": [0, 1]}).column
    assert (inside.kind, inside.observation, inside.bounds) == (Kind.PROPORTION, "logit-normal", (0.0, 1.0))
    at = guess(texts(0, *rng.uniform(0.1, 0.9, N)), {"bounds": [0, 1]}).column
    assert at.observation == "truncated-normal"
    whole = guess(texts(*rng.integers(0, 101, N)), {"bounds": [0, 100]}).column
    assert whole.grid == Grid(0.0, 1.0, 101)


def test_cells_end_at_declared_bounds_of_any_family_but_those_of_angles():
    marks = texts(*rng.integers(0, 11, N))
    of_marks = {"bounds": [0, 10], "grid": 1}
    for family in ("normal", "beta", "binomial", "negative-binomial"):
        assert guess(marks, {**of_marks, "observation": family}).column.grid == Grid(0.0, 1.0, 11)
    assert guess(marks, {**of_marks, "observation": "normal", "bounds": [-0.5, 10.5]}).column.grid == WHOLE
    degrees = texts(*(10 * rng.integers(-18, 19, N)))
    angles = guess(degrees, {"observation": "von-mises", "bounds": [-180, 180], "grid": 10}).column
    assert angles.grid == Grid(0.0, 10.0, None)


def test_a_declared_step_has_the_phase_of_the_data():
    halves = texts(*(rng.integers(1, 50, N) + 0.5))
    assert guess(halves, {"grid": 1}).column.grid == Grid(0.5, 1.0, None)
    assert guess(halves, {"grid": 1}).schema.grid == (0.5, 1.0)
    tenths = texts(*(f"{value:.1f}" for value in NORMAL))
    assert guess(tenths, {"grid": 0.1}).column.grid == Grid(0.0, 0.1, None)
    assert guess(tenths, {"grid": 0.1}).schema.grid == (None, 0.1)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"observation": "beta"}, ["beta needs bounds", "bounds = [low, high]"]),
        ({"observation": "von-mises"}, ["von-mises needs bounds"]),
        ({"observation": "binomial"}, ["binomial needs bounds"]),
        ({"observation": "normal", "levels": ["a", "b"]}, ["levels go with bernoulli, categorical, ordinal"]),
        ({"observation": "bernoulli"}, ["two levels", "there are 200", "categorical"]),
        ({"observation": "categorical", "bounds": [0, 1]}, ["bounds goes with numbers"]),
        ({"observation": "ordinal", "grid": 1}, ["grid goes with numbers"]),
    ],
)
def test_what_does_not_fit_together(said, words):
    with pytest.raises(UsageError) as caught:
        guess(texts(*NORMAL), said)
    assert all(word in str(caught.value) for word in ["column 'x'", *words]), str(caught.value)


def test_the_levels_of_the_source():
    values = np.array(["low", "high", None, "low"] * 5, dtype=object)
    ordered = guess(RawColumn(values, levels=("low", "mid", "high"), is_ordered=True)).column
    assert (ordered.kind, ordered.levels) == (Kind.ORDINAL, ("low", "mid", "high"))
    assert guess(RawColumn(values, levels=("low", "mid", "high"))).column.kind is Kind.CATEGORY


def test_markers_stand_for_missing_values_however_they_are_written():
    found = guess(texts(1.5, "NA", " ? ", -999, "-999.0", 2.5, "", 3.5), missing=["NA", "?", -999])
    assert found.seen.missing == 5
    assert (found.seen.low, found.seen.high) == (1.5, 3.5)
    assert guess(numbers([1.5, np.nan, -999, 2.5]), missing=[-999]).seen.missing == 2
    assert guess(texts(*["None", "brick", "stone"] * 4)).column.levels == ("None", "brick", "stone")


def test_other_whole_numbers_are_counts_in_a_table_of_counts():
    counts = {f"gene {i}": texts(*rng.poisson(2, N)) for i in range(25)}
    rare, frequent = texts(*(rng.random(N) < 0.05).astype(int)), texts(*rng.integers(2000, 9000, N))
    assert guess(rare).column.kind is Kind.BINARY
    assert guess(frequent).column.kind is Kind.POSITIVE
    *_, a, b = guess_table(RawTable("'x'", {**counts, "rare": rare, "frequent": frequent}), Schema())
    assert (a.column.kind, a.column.grid, a.column.levels) == (Kind.COUNT, WHOLE, None)
    assert (b.column.kind, b.column.observation) == (Kind.COUNT, "negative-binomial")
    few = dict(list(counts.items())[:5])
    assert guess_table(RawTable("'x'", {**few, "rare": rare}), Schema())[-1].column.kind is Kind.BINARY
    others = {f"real {i}": numbers(rng.normal(size=N)) for i in range(30)}
    guesses = guess_table(RawTable("'x'", {**counts, **others, "rare": rare, "frequent": frequent}), Schema())
    assert [found.column.kind for found in guesses[-2:]] == [Kind.COUNT, Kind.POSITIVE]


def test_every_family_has_a_kind():
    assert set(KINDS) == set(OBSERVATIONS)
    assert set(OF_TRANSFORMS) == set(TRANSFORMS)
    assert kind_of("zero-inflated:inner=mixture,components=3,inner=gamma,floor=0.1") is Kind.POSITIVE
    assert kind_of("transformed:transform=log,inner=student-t") is Kind.POSITIVE
    assert kind_of("discretised:inner=transformed,transform=yeo-johnson,inner=normal") is Kind.REAL
    assert kind_of("mine:inner=") is None


def test_guesses_once_made_are_made_again():
    made = guess_table(table(**{name: texts(*values) for name, (values, *_) in COLUMNS.items()}), Schema())
    full = Schema({found.name: found.schema for found in made})
    again = guess_table(
        table(**{name: texts(*values) for name, (values, *_) in COLUMNS.items()}), schema_from(full.to_mapping())
    )
    assert [found.column for found in again] == [found.column for found in made]
    assert [found.schema for found in again] == [found.schema for found in made]
