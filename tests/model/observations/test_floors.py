"""Scales near their floor."""

import numpy as np
import pytest
import torch

from obsvae.data import load
from obsvae.model import make_observation, share_at_floor

DATA = load(np.random.default_rng(0).normal(size=(100, 4)))
COUNTS = load(np.random.default_rng(0).poisson(4, size=(100, 4)))
TINY = -20.0  # softplus of it is nothing


def started(text, data=DATA):
    made = make_observation(text, data)
    made.initialise(data.train)
    return made.eval()


def outputs(observation, rows=10, scale=0.0):
    """Return outputs for some rows, with a raw scale of the first half of them."""
    eta = torch.zeros(rows, 4, observation.outputs)
    eta[: rows // 2, :, -1] = scale
    return eta


@pytest.mark.parametrize("text", ["normal:scale=decoder", "laplace:scale=decoder", "logistic:scale=decoder"])
def test_the_share_of_decoded_scales_is_counted(text):
    observation = started(text)
    assert share_at_floor(observation, outputs(observation)) == 0
    assert share_at_floor(observation, outputs(observation, scale=TINY)) == 0.5


def test_the_share_of_learned_scales_is_that_of_features():
    observation = started("normal:scale=per-feature")
    observation.scale.raw.data[0] = TINY
    assert share_at_floor(observation, outputs(observation)) == 0.25


def test_a_high_floor_is_reached_later():
    low, high = (started(f"normal:scale=decoder,floor={floor}") for floor in (1e-3, 0.5))
    small = float(torch.expm1(torch.tensor(0.005)).log() - np.log(np.e - 1))  # 0.005 of the spread, beside the floor
    assert share_at_floor(low, outputs(low, scale=small)) == 0.5
    assert share_at_floor(high, outputs(high)) == 0
    assert share_at_floor(high, outputs(high, scale=small)) == 0.5
    tiny = started("normal:scale=decoder,floor=1e-5")
    assert share_at_floor(tiny, outputs(tiny, scale=small)) == 0


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("normal:scale=0.1", DATA),
        ("zero-inflated:inner=normal:scale=decoder", DATA),
        ("discretised:inner=normal:scale=decoder", COUNTS),
        ("poisson", COUNTS),
    ],
)
def test_masses_and_fixed_scales_have_no_floor(text, data):
    observation = started(text, data)
    assert share_at_floor(observation, outputs(observation, scale=TINY)) is None


def test_columns_with_densities_count():
    data = load(
        {split: _frame(seed) for seed, split in enumerate(("train", "validation", "test"))},
        schema={"columns": {"x": {"observation": "normal:scale=decoder"}}},
    )
    observation = started("by-column", data)
    eta = torch.zeros(8, 2, observation.outputs)
    assert share_at_floor(observation, eta) == 0
    eta[:2, 0, 1] = TINY
    assert share_at_floor(observation, eta) == 0.25  # of the one column that has a scale


def _frame(seed):
    import pandas as pd

    rng = np.random.default_rng(seed)
    return pd.DataFrame({"x": rng.normal(size=40), "n": rng.poisson(4, 40)})
