"""What looks wrong in a dataset, and what does not."""

import numpy as np
import pandas as pd
import pytest

from obsvae.data import load, suspicions_of

rng = np.random.default_rng(4)
N = 1000
REAL = rng.normal(50, 10, (N, 4))
SPLITS = {"train": np.arange(800), "validation": np.arange(800, 900), "test": np.arange(900, N)}


def changed(x, rows, column, value):
    x = x.copy()
    x[rows, column] = value
    return x


def said(x, **arguments):
    return " | ".join(map(str, suspicions_of(load(x, **arguments))))


def frame(**columns):
    return pd.DataFrame({"x": REAL[:, 0], "y": REAL[:, 1], **columns})


def heights(holes):
    made = rng.normal(800, 200, (200, 12, 12)).astype(np.int16)
    made[::7, 3:5, 3:5] = -32768 if holes else 400
    return made


GREY = np.where(rng.random((300, 8, 8)) < 0.6, 0, rng.integers(0, 256, (300, 8, 8))).astype(np.uint8)
LEVELS = rng.choice(["a", "b"], N)
ONE_MORE = np.where(np.arange(N) == 950, "c", LEVELS)

ARRAYS = {
    "sentinel": (changed(REAL, slice(None, None, 50), 3, -999), ["'feature 3': -999 (20 rows)", "missing=True"]),
    "sentinel in a height map": (heights(True), ["-32768 (116 values) lies far outside"]),
    "spike": (np.where(rng.random((N, 1)) < 0.487, 0, REAL), ["9 % are exactly 0", "a density gives that no mass"]),
    "grey as shares": (GREY / 255, ["0.00392157 apart", "np.rint(x / 0.00392157).astype(int)", "exactly 0"]),
    "whole numbers as floats": (rng.poisson(5, (N, 3)) * 1.0, ["1 apart", "np.rint(x).astype(int)"]),
    "constant": (np.hstack([REAL, np.ones((N, 2))]), ["2 of 6 features are constant"]),
    "running number": (changed(REAL, slice(None), 1, np.arange(N)), ["'feature 1': each value once"]),
    "the same": (changed(REAL, slice(None), 1, REAL[:, 0]), ["'feature 1': the same as 'feature 0'"]),
    "repeated": (
        np.vstack([REAL[:500], REAL[:500]]),
        ["1000 of 1000 rows", "test rows stand in training"],
    ),
    "few": (REAL[:60], ["only 48 rows to train on", "only 6 rows to test on"]),
}


@pytest.mark.parametrize(("x", "words"), ARRAYS.values(), ids=ARRAYS)
def test_what_is_suspected_in_arrays(x, words):
    found = said(x)
    assert all(word in found for word in words), found


@pytest.mark.parametrize(
    "x",
    [
        REAL,
        GREY,
        heights(False),
        GREY.astype(float) / 255 + rng.uniform(0, 1e-2, GREY.shape),
        rng.poisson(0.3, (N, 20)),
        rng.random((N, 4)) < 0.5,
        rng.integers(-1, 2, (N, 9)),
        rng.standard_cauchy((N, 5)),
        rng.lognormal(0, 1.5, (N, 5)),
        rng.normal(size=(N, 6, 4)) * [1, 1000, 1, 1],
    ],
    ids=["real", "grey", "heights", "noisy", "counts", "binary", "ternary", "cauchy", "log-normal", "windows"],
)
def test_what_is_not_suspected_in_arrays(x):
    assert said(x) == ""


def test_scales_that_differ_are_told_where_they_are_taken_for_one():
    x = rng.normal(size=(N, 6, 4)) * [1, 1000, 1, 1]
    assert "factors up to 1e+03" in (found := said(x, units="all")), found
    assert 'units="column"' in found
    assert said(x[..., [0, 2, 3]], units="all") == ""


def test_held_out_values_are_held_against_those_of_training():
    assert "'feature 2': 5000 among the rows held out" in said(changed(REAL, 950, 2, 5000.0), splits=SPLITS)
    assert said(changed(REAL, 50, 2, 5000.0), splits=SPLITS) == ""  # training knows it
    assert said(changed(REAL, 950, 2, 120.0), splits=SPLITS) == ""  # not so far


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (frame(z=np.where(np.arange(N) % 50, REAL[:, 2], -999)), ["'z': -999 (20 rows)", "add -999 to missing"]),
        (frame(z=np.round(REAL[:, 2] / 40, 1)), ["'z': the same few values", "0.1 apart", "grid = 0.1"]),
        (frame(z=REAL[:, 0]), ["'z': the same as 'x'"]),
        (frame(z=np.where(rng.random(N) < 0.3, 60, REAL[:, 2])), ["'z': 3", "% are exactly 60"]),
    ],
)
def test_what_is_suspected_in_tables(data, words):
    found = said(data)
    assert all(word in found for word in words), found


def test_levels_that_training_lacks_are_told():
    assert "'z': 'c' is among the rows held out" in said(frame(z=ONE_MORE), splits=SPLITS)
    assert said(frame(z=LEVELS, c=rng.poisson(2, N), r=np.round(REAL[:, 2], 2)), splits=SPLITS) == ""


def test_zeros_with_a_mass_of_their_own_are_no_spike():
    z = np.where(rng.random(N) < 0.5, 0, rng.normal(size=N))
    normal = {"columns": {"z": {"observation": "normal"}}}
    inflated = {"columns": {"z": {"observation": "zero-inflated:inner=normal"}}}
    assert "a density gives that no mass" in said(frame(z=z), schema=normal)
    assert said(frame(z=z), schema=inflated) == ""


def test_rows_of_few_levels_repeat_by_chance():
    few = pd.DataFrame({name: rng.choice(["a", "b", "c"], N) for name in "uvw"})
    assert said(few) == ""


def test_many_columns_are_told_by_the_worst():
    x = pd.DataFrame({f"c{i}": np.where(rng.random(N) < 0.2 + i / 50, 60, REAL[:, 0] + i) for i in range(9)})
    (found,) = suspicions_of(load(x))
    assert len(found.columns) == 9
    assert "such as 'c8': 3" in found.text
    assert "and 4 more" in str(found)
