"""Loading by name: sizes, splits, labels, units, and the words of errors."""

import json
from urllib.error import URLError

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from obsvae.data import SOURCES, Grid, load
from obsvae.data.folder import data_folder
from obsvae.errors import UsageError

SPLITS = ("train", "validation", "test")

needs_mnist = pytest.mark.skipif(
    not (data_folder() / "MNIST" / "raw" / "train-images-idx3-ubyte").is_file(),
    reason="needs MNIST/raw in the folder that OBSVAE_DATA names",
)
needs_freyfaces = pytest.mark.skipif(
    not (data_folder() / "freyfaces.npy").is_file(), reason="needs freyfaces.npy in the folder that OBSVAE_DATA names"
)


def message(*args, **kwargs):
    with pytest.raises(UsageError) as caught:
        load(*args, **kwargs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def same(a, b):
    return all(torch.equal(a.split(split), b.split(split)) for split in SPLITS)


def test_known_names():
    assert set(SOURCES) == {"digits", "mnist", "fashion-mnist", "kmnist", "omniglot", "cifar10", "freyfaces"}


def test_digits_are_all_there_in_data_units():
    digits = load("digits")
    assert [len(digits.split(split)) for split in SPLITS] == [1397, 200, 200]
    assert digits.event_shape == (8, 8)
    assert digits.bounds == (0.0, 16.0)
    assert digits.grid == Grid(0.0, 1.0, 17)
    assert digits.grid.high == 16.0
    assert digits.noise is None
    together = torch.cat([digits.split(split) for split in SPLITS])
    assert together.dtype == torch.float32
    stored = load_digits().images.reshape(1797, 64)
    assert sorted(map(tuple, together.reshape(1797, 64).tolist())) == sorted(map(tuple, stored.tolist()))


def test_labels_stay_with_their_images():
    digits, bunch = load("digits"), load_digits()
    label = {tuple(image.ravel()): target for image, target in zip(bunch.images, bunch.target, strict=True)}
    assert len(label) == 1797
    for split in SPLITS:
        assert digits.labels[split].dtype == torch.int64
        assert digits.labels[split].tolist() == [label[tuple(x)] for x in digits.split(split).flatten(1).tolist()]


def test_the_split_is_random_and_the_same_for_every_seed():
    assert same(load("digits", seed=0), load("digits", seed=1))
    first_rows = torch.from_numpy(load_digits().images[:200]).float()
    assert not torch.equal(load("digits").validation, first_rows)


@pytest.mark.parametrize(
    "arguments",
    [
        {"binarise": "dynamic", "seed": 3},
        {"binarise": "static", "seed": 3},
        {"binarise": "threshold"},
        {"dequantise": True, "scaling": "standardise", "seed": 4},
        {"scaling": "unit-interval", "bounds": [0, 20]},
    ],
)
def test_recorded_arguments_give_identical_tensors(arguments):
    recorded = json.loads(json.dumps({"name": "digits", **arguments}))
    first, again = load("digits", **arguments), load(**recorded)
    assert same(first, again)
    assert torch.equal(first.scaling.offset, again.scaling.offset)
    assert torch.equal(first.scaling.scale, again.scaling.scale)
    assert first.bounds == again.bounds


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"binarise": "dynamic", "seed": np.int64(3)},
        {"dequantise": True, "warp": np.float32(0.25), "scaling": "standardise"},
        {"scaling": "unit-interval", "bounds": (0, np.int64(20))},
    ],
)
def test_the_recipe_gives_the_same_dataset_again(arguments):
    first = load("digits", **arguments)
    recipe = json.loads(json.dumps(first.recipe))
    assert list(recipe) == [
        "name",
        "binarise",
        "dequantise",
        "warp",
        "scaling",
        "bounds",
        "grid",
        "units",
        "missing",
        "channels",
        "seed",
    ]
    again = load(**recipe)
    assert same(first, again)
    assert again.recipe == first.recipe == first.to("meta").recipe
    assert torch.equal(first.scaling.scale, again.scaling.scale)
    assert first.bounds == again.bounds


def test_another_seed_draws_otherwise():
    assert not same(load("digits", binarise="static", seed=0), load("digits", binarise="static", seed=1))


def test_bounds_override_and_extend_the_grid():
    digits = load("digits", bounds=(-1, 20))
    assert digits.bounds == (-1.0, 20.0)
    assert digits.grid == Grid(-1.0, 1.0, 22)
    assert load("digits", bounds=(-0.5, 16.5)).grid == Grid(0.0, 1.0, 17)


@pytest.mark.parametrize("last", [16, 63, 255])
def test_divided_grey_levels_lie_on_the_grid_that_is_declared(last):
    x = np.arange(20 * (last + 1)).reshape(20, -1) % (last + 1) / np.float32(last)
    divided = load(x, grid=(0, 1 / last, last + 1))
    assert divided.grid == Grid(0.0, 1 / last, last + 1)
    assert load(x, grid=(0, 1 / last), bounds=(0, 1)).grid == Grid(0.0, 1 / last, last + 1)
    assert load(x, grid=[0, 1 / last]).grid == Grid(0.0, 1 / last, None)


@pytest.mark.parametrize(("step", "levels"), [(0.1, 24), (0.01, 30), (0.3, 7), (1 / 3, 10)])
def test_bounds_that_lie_on_a_grid_but_for_rounding_are_its_ends(step, levels):
    x = step * (np.arange(40 * levels).reshape(40, levels) % levels)
    assert load(x, grid=(0, step), bounds=(0, step * (levels - 1))).grid == Grid(0.0, step, levels)


def test_a_declared_grid_and_the_bounds_of_the_source_agree():
    grey = (8 * (np.arange(600).reshape(40, 15) % 17)).astype(np.uint8)
    assert load(grey).bounds == (0.0, 255.0)
    coarse = load(grey, grid=(0, 8, 17))
    assert (coarse.bounds, coarse.grid) == ((0.0, 128.0), Grid(0.0, 8.0, 17))
    assert load(grey > 40, grid=(0, 1)).grid == Grid(0.0, 1.0, 2)
    with pytest.raises(UsageError, match="have other ends"):
        load(grey, grid=(0, 8, 17), bounds=(0, 256))


def test_a_missing_entry_lies_on_any_grid():
    x = np.tile([0.0, 0.5, 1.0], (12, 1))
    x[::2, 0] = 0.5
    x[3, 2] = np.nan
    assert load(x, grid=(0, 0.5, 3), missing=True).grid == Grid(0.0, 0.5, 3)


def test_scaling_follows_the_transforms():
    grey, binary = load("digits", scaling="unit-interval"), load("digits", binarise="static", scaling="unit-interval")
    assert (float(grey.scaling.offset), float(grey.scaling.scale)) == (0.0, 16.0)
    assert float(binary.scaling.scale) == 1.0
    assert float(load("digits", dequantise=True, scaling="unit-interval").scaling.scale) == 17.0
    assert grey.train.max() == 16.0  # recorded, not applied


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": "mnits"}, ["unknown data 'mnits'; did you mean 'mnist'?", "digits", ".npy or .npz"]),
        ({"name": "MNIST"}, ["did you mean 'mnist'?"]),
        ({"name": "zzz"}, ["unknown data 'zzz'; known are digits, ", "freyfaces, or a path to .npy or .npz"]),
        ({"name": "table.json"}, ["unknown data", ".npy or .npz", "table such as .csv"]),
        ({"name": "digits", "schema": "x.toml"}, ["schema goes with a table", "'digits'"]),
        ({"name": "digits", "binarise": "dynamik"}, ["unknown binarisation", "did you mean 'dynamic'?"]),
        ({"name": "digits", "scaling": "standardize"}, ["unknown scaling", "did you mean 'standardise'?"]),
        ({"name": "digits", "binarise": "static", "dequantise": True}, ["one of binarise and dequantise"]),
        ({"name": "digits", "bounds": (0, 10)}, ["within the declared bounds (0.0, 10.0)", "datum 0, feature (0, 3)"]),
        ({"name": "digits", "bounds": (3, 3)}, ["low < high"]),
        ({"name": "digits", "bounds": (0, float("inf"))}, ["finite"]),
        ({"name": "digits", "bounds": (0,)}, ["two numbers"]),
        ({"name": "digits", "bounds": 5}, ["two numbers", "5"]),
        (
            {"name": "digits", "grid": (0, 2, 9)},
            ["0 in steps of 2, 9 levels up to 16", "datum 0", "correct the"],
        ),
        ({"name": "digits", "grid": (0, 1, 10)}, ["10 levels up to 9", "values lie elsewhere"]),
        ({"name": "digits", "grid": (0, 1, 10.5)}, ["whole number of levels", "10.5"]),
        ({"name": "digits", "grid": (0,)}, ["a grid needs numbers", "(0,)"]),
        ({"name": "digits", "grid": (0, 0)}, ["step > 0"]),
        ({"name": "digits", "grid": (0, float("nan"))}, ["finite"]),
        ({"name": "digits", "warp": "0.1"}, ["warp needs a number", "'0.1'"]),
        ({"name": "digits", "seed": -1}, ["seed needs a whole number", "-1"]),
        ({"name": "digits", "seed": 0.5}, ["seed needs a whole number", "0.5"]),
        ({"name": "digits", "labels": [1]}, ["an array or a file", "'digits'"]),
    ],
)
def test_wrong_arguments(arguments, words):
    said = message(**arguments)
    assert all(word in said for word in words), said


@needs_mnist
def test_mnist():
    mnist = load("mnist")
    assert [len(mnist.split(split)) for split in SPLITS] == [50_000, 10_000, 10_000]
    assert mnist.event_shape == (28, 28)
    assert mnist.bounds == (0.0, 255.0)
    assert mnist.grid == Grid(0.0, 1.0, 256)
    assert (mnist.train.min(), mnist.train.max()) == (0.0, 255.0)
    raw = np.fromfile(data_folder() / "MNIST" / "raw" / "t10k-images-idx3-ubyte", np.uint8, offset=16)
    assert np.array_equal(mnist.test.numpy().ravel(), raw)  # the official test set, in its order
    raw = np.fromfile(data_folder() / "MNIST" / "raw" / "train-images-idx3-ubyte", np.uint8, offset=16)
    sums = torch.cat([mnist.train, mnist.validation]).sum((1, 2)).sort().values
    assert np.array_equal(sums.numpy(), np.sort(raw.reshape(60_000, 784).sum(1)))  # every training image, once
    # Counts of the ten classes in the official sets.
    assert mnist.labels["test"].bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    training = torch.cat([mnist.labels["train"], mnist.labels["validation"]]).bincount()
    assert training.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


@needs_freyfaces
def test_freyfaces():
    faces = load("freyfaces")
    assert [len(faces.split(split)) for split in SPLITS] == [1565, 200, 200]
    assert faces.event_shape == (28, 20)
    assert faces.bounds == (0.0, 255.0)
    assert all(len(faces.labels[split]) == 0 for split in SPLITS)


def test_freyfaces_absent_or_wrong(tmp_path, monkeypatch):
    monkeypatch.setenv("OBSVAE_DATA", str(tmp_path))
    said = message("freyfaces")
    assert "cannot be downloaded" in said
    assert str(tmp_path / "freyfaces.npy") in said
    np.save(tmp_path / "freyfaces.npy", np.zeros((20, 28, 20), np.uint8))
    assert "(20, 28, 20)" in message("freyfaces")


@pytest.mark.parametrize(
    ("name", "folder", "module"),
    [
        ("mnist", "MNIST/raw", "mnist"),
        ("fashion-mnist", "FashionMNIST/raw", "mnist"),
        ("kmnist", "KMNIST/raw", "mnist"),
        ("omniglot", "omniglot-py", "omniglot"),
        ("cifar10", "cifar-10-batches-py", "cifar"),
    ],
)
class TestWithoutNetwork:
    @pytest.fixture
    def attempts(self, module, monkeypatch):
        from torchvision import datasets

        attempts = []

        def refuse(url, *args, **kwargs):
            attempts.append(url)
            raise URLError("no network")

        monkeypatch.setattr(getattr(datasets, module), "download_and_extract_archive", refuse)
        return attempts

    def test_a_failed_download(self, name, folder, attempts, tmp_path, monkeypatch):
        monkeypatch.setenv("OBSVAE_DATA", str(tmp_path))
        said = message(name)
        assert attempts
        for word in (repr(name), str(tmp_path / folder), "no network", "://", "OBSVAE_DATA"):
            assert word in said

    def test_a_root_that_cannot_be_made(self, name, folder, attempts, tmp_path, monkeypatch):
        (tmp_path / "file").write_text("not a folder")
        monkeypatch.setenv("OBSVAE_DATA", str(tmp_path / "file" / "within"))
        assert "OBSVAE_DATA" in message(name)

    def test_a_read_only_root_stays_untouched(self, name, folder, attempts, tmp_path, monkeypatch):
        tmp_path.chmod(0o555)
        monkeypatch.setenv("OBSVAE_DATA", str(tmp_path))
        said = message(name)
        tmp_path.chmod(0o755)
        assert "read-only" in said
        assert attempts == []
        assert list(tmp_path.iterdir()) == []


def test_the_cache_folder_is_the_default(monkeypatch):
    import platformdirs

    monkeypatch.delenv("OBSVAE_DATA", raising=False)
    assert str(data_folder()) == platformdirs.user_cache_dir("obsvae")
