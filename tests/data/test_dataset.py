"""Splits, epochs, devices, grids and scalings."""

import numpy as np
import pytest
import torch

from obsvae.data import Grid, load
from obsvae.data.scaling import Scaling
from obsvae.errors import UsageError


def test_split():
    digits = load("digits")
    assert digits.split("train") is digits.train
    assert digits.split("validation") is digits.validation
    assert digits.split("test") is digits.test
    with pytest.raises(UsageError, match="unknown split 'tset'; did you mean 'test'"):
        digits.split("tset")


def test_an_epoch_without_noise_is_the_training_data():
    digits, generator = load("digits"), torch.Generator().manual_seed(0)
    before = generator.get_state()
    assert digits.epoch(generator) is digits.train
    assert torch.equal(generator.get_state(), before)


@pytest.mark.parametrize("arguments", [{"binarise": "dynamic"}, {"dequantise": True}])
def test_an_epoch_with_noise_is_fresh_and_reproducible(arguments):
    digits = load("digits", **arguments)
    generator = torch.Generator().manual_seed(5)
    first, second = digits.epoch(generator), digits.epoch(generator)
    assert not torch.equal(first, second)
    assert not torch.equal(first, digits.train)
    assert torch.equal(first, digits.epoch(torch.Generator().manual_seed(5)))
    assert first.shape == digits.train.shape
    assert first.dtype == torch.float32


@pytest.mark.parametrize("arguments", [{"binarise": "dynamic"}, {"dequantise": True, "scaling": "standardise"}])
def test_to_moves_every_tensor(arguments):
    moved = load("digits", **arguments).to("meta")
    tensors = [moved.train, moved.validation, moved.test, *moved.labels.values()]
    tensors += [moved.scaling.offset, moved.scaling.scale]
    tensors += [value for value in vars(moved.noise).values() if isinstance(value, torch.Tensor)]
    assert len(tensors) == 9
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    with pytest.raises(UsageError, match="needs a generator where the data are, on meta; got one on cpu"):
        moved.epoch(torch.Generator())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("arguments", [{"binarise": "dynamic"}, {"dequantise": True}])
def test_epochs_on_the_gpu(arguments):
    digits = load("digits", **arguments).to("cuda")
    first = digits.epoch(torch.Generator("cuda").manual_seed(1))
    assert first.device.type == "cuda"
    assert torch.equal(first, digits.epoch(torch.Generator("cuda").manual_seed(1)))
    with pytest.raises(UsageError, match=r"torch.Generator\('cuda:0'\)"):
        digits.epoch(torch.Generator())


def test_grid():
    assert Grid(-1.0, 0.5, 5).high == 1.0
    with pytest.raises(UsageError, match="step > 0"):
        Grid(0.0, 0.0, 2)


def test_images_are_standardised_by_one_number():
    digits = load("digits", scaling="standardise")
    train = digits.train.numpy().astype(np.float64)
    assert digits.scaling.offset.shape == digits.scaling.scale.shape == ()
    assert digits.scaling.offset.dtype == digits.scaling.scale.dtype == torch.float32
    np.testing.assert_allclose(digits.scaling.offset, train.mean(), rtol=1e-6)
    np.testing.assert_allclose(digits.scaling.scale, train.std(), rtol=1e-6)


def test_vectors_are_standardised_by_feature():
    x = torch.randn(500, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1e-3, 1.0, 1e3]) + 5e4
    scaling = Scaling.standardise(x, (3,))
    assert scaling.offset.dtype == scaling.scale.dtype == torch.float32
    np.testing.assert_allclose(scaling.offset, x.double().mean(0), rtol=1e-7)
    np.testing.assert_allclose(scaling.scale[1:], x.numpy().astype(np.float64).std(0)[1:], rtol=1e-6)


def test_constant_features_are_refused():
    x = torch.rand(50, 3, generator=torch.Generator().manual_seed(0))
    x[:, 1] = 0.1
    with pytest.raises(UsageError, match=r"columns \[1\]"):
        Scaling.standardise(x, (3,))
    with pytest.raises(UsageError, match=r"all training values are 3\.0"):
        Scaling.standardise(torch.full((5, 2, 2), 3.0))


@pytest.mark.parametrize("bounds", [(0.0, 255.0), (0.1, 0.7), (-1e-3, 1234.567)])
def test_the_unit_interval_ends_at_one_exactly(bounds):
    scaling = Scaling.unit_interval(bounds)
    low, high = torch.tensor(bounds)
    assert (low - scaling.offset) / scaling.scale == 0.0
    assert (high - scaling.offset) / scaling.scale == 1.0


def test_identity():
    scaling = load("digits").scaling
    assert (scaling.offset, scaling.scale) == (torch.tensor(0.0), torch.tensor(1.0))
    assert scaling.scale.dtype == torch.float32


def test_rows_say_where_each_datum_stands_in_the_source():
    from sklearn.datasets import load_digits

    digits, images = load("digits"), load_digits().images
    every = torch.cat([digits.rows[split] for split in ("train", "validation", "test")])
    assert sorted(every.tolist()) == list(range(len(images)))
    for split, rows in digits.rows.items():
        np.testing.assert_array_equal(digits.split(split), images[rows.numpy()])


def test_the_checksum_is_of_the_source(tmp_path):
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    first = load(tmp_path / "x.npy", scaling="standardise").sha256
    assert first == load(tmp_path / "x.npy").sha256
    x[7, 2] += 1
    np.save(tmp_path / "x.npy", x)
    assert first != load(tmp_path / "x.npy").sha256
