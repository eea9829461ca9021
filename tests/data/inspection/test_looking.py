"""What data look like."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from obsvae.data import load, look_at

rng = np.random.default_rng(3)
N = 500


def look(values, **arguments):
    (found,) = look_at(load(np.asarray(values)[:, None], **arguments))
    return found


def test_an_array_is_looked_at_as_a_whole():
    x = rng.integers(0, 17, (N, 3, 4)).astype(np.uint8)
    (found,) = look_at(load(x))
    assert (found.name, found.features, found.present, found.missing) == ("", 12, x.size, 0)
    assert (found.distinct, found.low, found.high, found.step, found.phase) == (17, 0, 16, 1, 0)
    assert found.is_whole
    for share, value in [(found.share_zero, 0), (found.share_one, 1), (found.share_low, 0), (found.share_high, 16)]:
        assert share == pytest.approx((x == value).mean(), abs=1e-12)
    assert found.mean == pytest.approx(x.mean())
    assert found.variance == pytest.approx(x.var())
    assert found.skew == pytest.approx(stats.skew(x, None), abs=1e-9)
    assert found.dispersion == pytest.approx(x.var() / x.mean())
    assert (found.levels, found.period, found.heaped) == (None, None, None)


def test_a_table_is_looked_at_column_by_column():
    reals = np.where(rng.random(N) < 0.1, np.nan, rng.normal(5, 2, N))
    frame = pd.DataFrame({"x": reals, "colour": rng.choice(["r", "g", "b"], N), "angle": rng.uniform(0, 360, N)})
    schema = {"columns": {"angle": {"observation": "von-mises", "bounds": [0, 360]}}}
    x, colour, angle = look_at(load(frame, schema=schema))
    assert (x.name, x.present, x.missing) == ("x", N - np.isnan(reals).sum(), np.isnan(reals).sum())
    assert x.mean == pytest.approx(np.nanmean(reals), rel=1e-6)
    assert (x.step, x.levels, x.period, x.dispersion) == (None, None, None, None)
    assert (colour.levels, colour.distinct, colour.heaped) == (3, 3, None)
    assert (angle.period, angle.levels) == (360, None)


def test_many_whole_numbers_are_counted_as_exactly():
    x = rng.negative_binomial(2, 0.01, (300, 300))
    found = look_at(load(x.astype(np.float64)))[0]
    assert (found.distinct, found.low, found.high) == (len(np.unique(x)), x.min(), x.max())
    assert found.share_zero == (x == 0).mean()
    assert found.variance == pytest.approx(x.var())


@pytest.mark.parametrize(
    ("values", "tail"),
    [(rng.normal(size=20_000), 2.906), (rng.uniform(size=20_000), 1.9), (rng.laplace(size=20_000), 4.322)],
)
def test_tails_are_those_of_the_family(values, tail):
    assert look(values).tail == pytest.approx(tail, rel=0.05)


def test_quartiles_that_agree_leave_no_unit_for_the_tails():
    assert look(np.where(rng.random(N) < 0.8, 0.0, rng.normal(size=N))).tail == math.inf


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.where(rng.random(N) < 0.3, 10 * rng.integers(2, 8, N), rng.integers(18, 80, N)), 10),
        (np.where(rng.random(N) < 0.5, rng.integers(20, 40, N), np.round(rng.uniform(20, 40, N), 2)), 1.0),
        (rng.integers(18, 80, N), None),
        (rng.poisson(0.5, N), None),
        (np.where(rng.random(N) < 0.3, 50, rng.integers(18, 80, N)), None),
        (np.round(rng.normal(size=N), 2), None),
        (rng.normal(size=N), None),
    ],
)
def test_heaps_are_on_round_numbers_and_no_single_spike(values, expected):
    found = look(values.astype(np.float64)).heaped
    assert (found and found[0]) == expected
    if found:
        assert found[1] == pytest.approx((np.abs(values / expected - np.rint(values / expected)) < 1e-6).mean())


def test_steps_survive_float32():
    found = look(rng.normal(50, 10, N).round(3))
    assert found.step == pytest.approx(1e-3)
    assert look(rng.normal(50, 10, N)).step is None


def test_scales_are_of_features_that_vary():
    x = rng.normal(size=(N, 4)) * [1, 10, 1000, 0]
    assert look_at(load(x))[0].scales == pytest.approx(1000, rel=0.2)
    assert look_at(load(x[:, :1]))[0].scales == 1


def test_missing_entries_of_an_array_are_left_out():
    x = rng.normal(size=(N, 2))
    x[::5, 1] = np.nan
    (found,) = look_at(load(x, missing=True))
    assert (found.present, found.missing) == (2 * N - N // 5, N // 5)
    assert found.mean == pytest.approx(np.nanmean(x), abs=1e-6)
