"""How far columns are from what a model draws: right models stay within the bounds, wrong columns come first."""

import numpy as np
import pytest

from obsvae.inference import Predictive, column_fits
from tests.tables import COLUMNS

REAL, CATEGORY, ORDINAL = COLUMNS[0], COLUMNS[6], COLUMNS[7]


def table(generator, n, shift=0.0, shares=(0.4, 0.3, 0.2, 0.1)):
    columns = generator.normal(shift, 1.0, n), generator.choice(4, n, p=shares), generator.integers(0, 3, n)
    return np.stack(columns, 1)


@pytest.mark.slow
def test_a_right_model_passes_the_bound_one_time_in_twenty():
    generator = np.random.default_rng(0)
    passed = np.zeros(3)
    for seed in range(300):
        check = Predictive(table(generator, 60), table(generator, 240), seed)
        found = {fit.name: fit.misfit for fit in column_fits(check, (REAL, CATEGORY, ORDINAL))}
        passed += [found[column.name] > 1 for column in (REAL, CATEGORY, ORDINAL)]
    # 15 in expectation, with a standard deviation of 3.8; whole numbers of data leave levels a little below.
    assert (passed <= 27).all()
    assert (passed >= 4).all()


def test_the_worst_column_comes_first():
    generator = np.random.default_rng(1)
    shifted = Predictive(table(generator, 100), table(generator, 2000, shift=1.0))
    first, *others = column_fits(shifted, (REAL, CATEGORY, ORDINAL))
    assert first.name == REAL.name
    assert first.misfit > 2
    assert first.distance == pytest.approx(0.38, abs=0.12)  # of two Normals one apart
    assert all(fit.misfit < 1.3 for fit in others)
    other_shares = Predictive(table(generator, 100), table(generator, 2000, shares=(0.1, 0.2, 0.3, 0.4)))
    first = column_fits(other_shares, (REAL, CATEGORY, ORDINAL))[0]
    assert first.name == CATEGORY.name
    assert first.distance == pytest.approx(0.4, abs=0.1)
    assert np.isnan(first.coverage).all()


def test_the_order_of_levels_without_one_changes_nothing():
    generator = np.random.default_rng(2)
    observed, simulated = table(generator, 80), table(generator, 1000, shares=(0.3, 0.3, 0.3, 0.1))
    (one,) = column_fits(Predictive(observed[:, [1]], simulated[:, [1]]), [CATEGORY])
    turned = np.array([2.0, 0.0, 3.0, 1.0])
    of = [turned[x[:, [1]].astype(int)] for x in (observed, simulated)]
    (other,) = column_fits(Predictive(*of), [CATEGORY])
    assert one.distance == pytest.approx(other.distance)


def test_missing_entries_are_left_out():
    generator = np.random.default_rng(3)
    observed, simulated = table(generator, 50), table(generator, 500)
    observed[:, 1] = np.nan
    observed[10:, 0] = np.nan
    found = {fit.name: fit for fit in column_fits(Predictive(observed, simulated), (REAL, CATEGORY, ORDINAL))}
    assert [found[column.name].n for column in (REAL, CATEGORY, ORDINAL)] == [10, 0, 50]
    assert found[CATEGORY.name].misfit == 0
    (alone,) = column_fits(Predictive(observed[:10, [0]], simulated[:, [0]]), [REAL])
    assert alone.bound == found[REAL.name].bound
