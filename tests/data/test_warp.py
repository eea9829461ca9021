"""Data warped from binary to mid-grey."""

import pytest
import torch

from obsvae.data import load
from obsvae.errors import UsageError


def warped(gamma, **options):
    return load("digits", warp=gamma, **options)


@pytest.mark.parametrize("gamma", [-0.5, -0.3, 0.0, 0.4])
def test_values_are_those_of_the_definition(gamma):
    u = load("digits").train / 16
    expected = {
        -0.5: (u >= 0.5).float(),
        -0.3: torch.clamp((u - 0.3) / 0.4, 0, 1),
        0.0: u,
        0.4: 0.4 + 0.2 * u,
    }[gamma]
    found = warped(gamma)
    torch.testing.assert_close(found.train, expected)
    assert found.bounds == (0.0, 1.0)
    assert (found.grid is not None) is (gamma == -0.5)
    assert found.test.min() >= 0
    assert found.test.max() <= 1


def test_noise_is_drawn_before_the_warp_and_afresh():
    found = warped(0.2, dequantise=True)
    generator = torch.Generator().manual_seed(0)
    first, second = found.epoch(generator), found.epoch(generator)
    assert (first != second).any()
    for x in (first, second, found.test):
        assert x.min() > 0.2
        assert x.max() < 0.8
    level = (found.validation - 0.2) / 0.6 * 17
    torch.testing.assert_close(torch.floor(level), load("digits").validation)


@pytest.mark.parametrize("gamma", [-0.6, 0.5, float("nan")])
def test_other_numbers_are_refused(gamma):
    with pytest.raises(UsageError, match=r"gamma from -0\.5 to below 0\.5"):
        warped(gamma)


def test_bounds_are_needed(tmp_path):
    import numpy as np

    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(20, 2)))
    with pytest.raises(UsageError, match="declared bounds"):
        load(str(tmp_path / "x.npy"), warp=0.1)
