"""The dependence of pairs of columns, observed and drawn."""

import numpy as np
import pytest

from obsvae.data import Column, Kind
from obsvae.inference import Predictive, pair_fits
from obsvae.inference.checks.pairs import cramers_v, strongest
from tests.tables import COLUMNS

A, B, C = (Column(name, Kind.REAL, "normal") for name in "abc")
CATEGORY = COLUMNS[6]


def test_v_is_one_where_each_tells_the_other_and_unbiased_at_none():
    generator = np.random.default_rng(0)
    x = generator.integers(0, 4, 200)
    assert cramers_v(x, np.array([2, 0, 3, 1])[x]) == pytest.approx(1.0)
    squares = [cramers_v(*generator.integers(0, 5, (2, 40))) ** 2 for _ in range(300)]
    assert np.mean(squares) < 0.02  # without the correction it would be 16 / 40 / 4 = 0.1
    assert cramers_v(np.zeros(10, int), x[:10]) == 0.0
    assert cramers_v(np.full(10, -1), x[:10]) == 0.0


def test_what_the_model_lacks_is_beyond_its_range():
    generator = np.random.default_rng(1)

    def table(n, depends):
        a, noise = generator.normal(size=(2, n))
        b = a + 0.3 * noise if depends else noise
        return np.stack([a, b, np.exp(3 * generator.normal(size=n)), np.digitize(a, [-1, 0, 1])], 1)

    check = Predictive(table(100, True), table(2000, False))
    pairs = pair_fits(check, (A, B, C, CATEGORY))
    found = {pair.columns: pair for pair in pairs}
    assert len(found) == 6
    assert [pair.observed for pair in pairs] == sorted((pair.observed for pair in pairs), reverse=True)
    assert found[0, 3].observed > 0.7
    assert found[0, 1].observed > 0.6 > 0.2 > found[0, 1].high
    assert not found[0, 1].is_within
    assert found[0, 2].observed < 0.25
    assert strongest(pairs, 3) == [0, 1, 3]


def test_a_right_model_is_within_its_range_in_19_of_21_cases():
    generator = np.random.default_rng(5)

    def table(n):
        a = generator.normal(size=n)
        return np.stack([a + generator.normal(size=n), np.digitize(a, [-1, 0, 1])], 1)

    within = [pair_fits(Predictive(table(60), table(1200)), (A, CATEGORY))[0].is_within for _ in range(300)]
    assert np.mean(within) == pytest.approx(19 / 21, abs=0.05)


def test_numbers_are_cut_alike_whatever_their_unit():
    x = np.random.default_rng(2).normal(size=(60, 2))
    x[:, 1] += x[:, 0]
    drawn = np.random.default_rng(3).normal(size=(600, 2))
    (one,) = pair_fits(Predictive(x, drawn), (A, B))
    (other,) = pair_fits(Predictive(np.exp(x * [1, 5]), np.exp(drawn * [1, 5])), (A, B))
    assert one == other


def test_draws_have_as_many_missing_entries_and_of_many_columns_some_are_left_out():
    generator = np.random.default_rng(4)
    x, drawn = generator.normal(size=(50, 45)), generator.normal(size=(1000, 45))
    x[:30, :5] = np.nan
    columns = [Column(f"c{i}", Kind.REAL, "normal") for i in range(45)]
    pairs = pair_fits(Predictive(x, drawn), columns)
    assert len(pairs) == 40 * 39 / 2
    assert {d for pair in pairs for d in pair.columns} == set(range(5, 45))
    few = pair_fits(Predictive(x[:, :6], drawn[:, :6]), columns[:6])
    assert {pair.n for pair in few} == {20}
