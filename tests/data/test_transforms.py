"""Binarisation and dequantisation: distributions, supports and seeds."""

import numpy as np
import pytest
import torch

from obsvae.data import Grid, load
from obsvae.data.transforms import Uniform
from obsvae.errors import UsageError

SPLITS = ("train", "validation", "test")


@pytest.mark.parametrize("how", ["dynamic", "static", "threshold"])
def test_binarised_splits_are_zeros_and_ones(how):
    digits = load("digits", binarise=how)
    assert digits.bounds == (0.0, 1.0)
    assert digits.grid == Grid(0.0, 1.0, 2)
    assert (digits.noise is not None) == (how == "dynamic")
    for split in SPLITS:
        assert digits.split(split).unique().tolist() == [0.0, 1.0]
        assert digits.split(split).dtype == torch.float32


def test_threshold_is_above_the_middle():
    grey = load("digits")
    for split in SPLITS:
        assert torch.equal(load("digits", binarise="threshold").split(split), (grey.split(split) > 8).float())
    assert torch.equal(load("digits", binarise="threshold", bounds=(0, 24)).test, (grey.test > 12).float())


def test_draws_have_the_grey_value_as_their_mean():
    grey, digits, generator = load("digits").train / 16, load("digits", binarise="dynamic"), torch.Generator()
    draws = torch.stack([digits.epoch(generator) for _ in range(200)]).mean(0)
    error = (draws - grey) / (grey * (1 - grey) / 200).sqrt().clamp(min=1e-9)
    assert torch.equal(draws[grey == 0], grey[grey == 0])
    assert torch.equal(draws[grey == 1], grey[grey == 1])
    assert error.pow(2)[(grey > 0) & (grey < 1)].mean().item() == pytest.approx(1.0, abs=0.05)
    for split in SPLITS:  # the fixed draws too
        assert digits.split(split).mean().item() == pytest.approx(
            load("digits").split(split).mean().item() / 16, abs=0.01
        )


def test_bounds_shift_the_probabilities(tmp_path):
    x = np.full((4000, 2), -1.0)
    x[0] = 3.0
    np.save(tmp_path / "x.npy", x)
    dataset = load(str(tmp_path / "x.npy"), binarise="static", bounds=(-2, 3))
    assert dataset.train.mean().item() == pytest.approx(0.2, abs=0.02)


def test_validation_and_test_do_not_depend_on_how_training_goes_on():
    dynamic, static = load("digits", binarise="dynamic"), load("digits", binarise="static")
    dynamic.epoch(torch.Generator())
    for split in SPLITS:
        assert torch.equal(dynamic.split(split), static.split(split))


def test_dequantised_values_stay_in_their_cells():
    grey, digits = load("digits"), load("digits", dequantise=True)
    assert digits.bounds == (0.0, 17.0)
    assert digits.grid is None
    for split in SPLITS:
        assert torch.equal(digits.split(split).floor(), grey.split(split))
    epoch = digits.epoch(torch.Generator())
    assert torch.equal(epoch.floor(), grey.train)
    u = (epoch - grey.train).flatten().double()
    assert u.mean().item() == pytest.approx(0.5, abs=0.005)
    assert u.var().item() == pytest.approx(1 / 12, abs=0.002)


def test_noise_never_rounds_up_to_the_next_cell(monkeypatch):
    largest = 1 - 2**-24
    monkeypatch.setattr(torch, "rand", lambda shape, **_: torch.full(shape, largest))
    x = torch.tensor([[-256.0, -1.0, 0.0, 1.0, 255.0, 65535.0]])
    assert (x + torch.tensor(largest) == x + 1).any()  # the trap: float32 rounds up
    drawn = Uniform(x, 1.0)(torch.Generator())
    assert (drawn < x + 1).all()
    assert (drawn > x + 0.99).all()


@pytest.mark.parametrize("flush", [False, True])
def test_noise_of_zero_is_no_edge(flush, monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda shape, **_: torch.zeros(shape))
    x = torch.tensor([[-1.0, 0.0, 1.0, 255.0]])
    torch.set_flush_denormal(flush)
    try:
        drawn = Uniform(x, 1.0)(torch.Generator())
        assert (drawn > x).all()
        assert (drawn / 256 != 0).all()
    finally:
        torch.set_flush_denormal(False)


def test_dequantising_undeclared_counts_declares_no_bounds(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(60, dtype=np.int16).reshape(20, 3))
    path = str(tmp_path / "x.npy")
    assert load(path, dequantise=True).bounds is None
    assert load(path, dequantise=True, bounds=(0, 99)).bounds == (0.0, 100.0)


def test_dequantising_beyond_float32_is_refused(tmp_path):
    np.save(tmp_path / "x.npy", 2**23 + np.arange(60).reshape(20, 3))
    with pytest.raises(UsageError, match="reaches 8388667: subtract an offset"):
        load(str(tmp_path / "x.npy"), dequantise=True)
