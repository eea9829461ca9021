"""Student's t starts from what outliers do not move."""

import numpy as np
import pytest
import torch

from obsvae.data import load
from obsvae.model import make_observation

rng = np.random.default_rng(0)
X = (np.array([5.0, -300.0, 0.0]) + np.array([10.0, 0.1, 1.0]) * rng.standard_cauchy((401, 3))).astype(np.float32)


def started(x, spec="student-t"):
    data = load(x)
    observation = make_observation(spec, data)
    eta = observation.initialise(data.train)
    return observation, observation(eta.expand(1, *eta.shape))


def test_one_outlier_moves_no_start():
    observation, p = started(X)
    far = X.copy()
    far[observation_row := int(np.flatnonzero(np.isin(X[:, 0], load(X).train[:, 0]))[0]), 0] = 3e6
    moved, moved_p = started(far)
    assert far[observation_row, 0] == 3e6
    torch.testing.assert_close(moved.spread, observation.spread, rtol=0.05, atol=0)
    torch.testing.assert_close(moved_p.loc, p.loc, rtol=0.2, atol=0.5)
    # The quantiles at 10 and 90 % of a Cauchy variable lie 3.08 scales from its median.
    expected = torch.tensor([24.0, 0.24, 2.4])
    torch.testing.assert_close(observation.spread, expected, rtol=0.25, atol=0)


def test_the_start_moves_with_the_units():
    observation, p = started(X)
    scaled, q = started(1000 * X + 7)
    torch.testing.assert_close(scaled.spread, 1000 * observation.spread, rtol=1e-4, atol=0)
    torch.testing.assert_close(q.loc, 1000 * p.loc + 7, rtol=1e-4, atol=0.05)


@pytest.mark.parametrize("scale", ["per-unit", "shared", "decoder", "per-feature"])
def test_a_column_of_which_most_is_one_value_starts_from_its_standard_deviation(scale):
    x = X.copy()
    x[:, 2] = np.where(rng.random(len(x)) < 0.96, 4.0, x[:, 2].clip(-9, 9))
    data = load(x)
    observation = make_observation(f"student-t:scale={scale}", data)
    observation.initialise(data.train)
    assert observation.spread[2].item() == pytest.approx(data.train[:, 2].double().std().item(), rel=1e-5)


def test_a_narrow_majority_does_not_collapse_the_spread():
    narrow = np.where(rng.random((2000, 1)) < 0.6, 1e-3 * rng.normal(size=(2000, 1)), rng.normal(10, 1, (2000, 1)))
    observation, _ = started(narrow.astype(np.float32))
    assert 2.0 < observation.spread.item() < 6.0
