"""The user's own .npy and .npz files: what dtypes declare, and what is refused."""

import io

import numpy as np
import pytest
import torch

from obsvae.data import Grid, load
from obsvae.data.arrays import file_and_member
from obsvae.errors import UsageError


@pytest.fixture
def save(tmp_path):
    def save(x):
        path = tmp_path / "x.npy"
        np.save(path, x)
        return str(path)

    return save


def refused(path, **kwargs):
    with pytest.raises(UsageError) as caught:
        load(str(path), **kwargs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def together(dataset):
    return torch.cat([dataset.train, dataset.validation, dataset.test])


def test_floats_split_80_10_10_without_loss(save):
    x = np.random.default_rng(0).normal(size=(57, 3))
    dataset = load(save(x))
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (47, 5, 5)
    assert dataset.bounds is None
    assert dataset.grid is None
    assert together(dataset).dtype == torch.float32
    assert np.array_equal(np.sort(together(dataset).numpy(), 0), np.sort(x.astype(np.float32), 0))
    assert dataset.labels["train"].dtype == torch.int64
    assert len(dataset.labels["train"]) == 0


def test_the_split_never_changes(save):
    # Written down once: other numbers here would mean that earlier results had another test set.
    dataset = load(save(np.arange(40.0).reshape(20, 2)))
    assert (dataset.validation[:, 0] / 2).tolist() == [3, 19]
    assert (dataset.test[:, 0] / 2).tolist() == [8, 17]


@pytest.mark.parametrize("dtype", [">f8", "<f2", "f4"])
def test_any_float_in_any_byte_order_and_layout(save, dtype):
    x = np.asfortranarray(np.arange(60).reshape(20, 3).astype(dtype))
    dataset = load(save(x))
    assert dataset.train.is_contiguous()
    assert np.array_equal(np.sort(together(dataset).numpy(), 0), x.astype("f4"))


@pytest.mark.parametrize(
    ("dtype", "bounds", "grid"),
    [
        (bool, (0.0, 1.0), Grid(0.0, 1.0, 2)),
        (np.uint8, (0.0, 255.0), Grid(0.0, 1.0, 256)),
        (np.int16, None, Grid(-3.0, 1.0, 10)),
        (">i8", None, Grid(-3.0, 1.0, 10)),
    ],
)
def test_what_integers_declare(save, dtype, bounds, grid):
    signed = np.arange(60).reshape(20, 3) % 10 - 3
    x = signed % 2 if bounds else signed
    dataset = load(save(x.astype(dtype)))
    assert dataset.bounds == bounds
    assert dataset.grid == grid
    assert np.array_equal(np.sort(together(dataset).numpy(), 0), np.sort(x, 0))


def test_every_split_lies_on_the_grid_of_counts(save):
    x = np.ones((20, 2), np.int32)
    for row in range(20):
        x[row, 0] = row
    dataset = load(save(x))
    assert dataset.grid == Grid(0.0, 1.0, 20)
    assert together(dataset).max() == dataset.grid.high
    assert together(dataset).min() == dataset.grid.low


def test_bounds_from_the_caller(save):
    path = save(np.arange(60, dtype=np.int16).reshape(20, 3))
    dataset = load(path, bounds=(0, 1023))
    assert dataset.bounds == (0.0, 1023.0)
    assert dataset.grid == Grid(0.0, 1.0, 1024)
    said = refused(path, bounds=(0, 56))
    for words in ("3 values", "57", "datum 19, feature 0"):
        assert words in said


def test_bounds_are_compared_in_float32(save):
    x = np.linspace(0, 0.7, 40).reshape(20, 2)
    assert load(save(x), bounds=(0, 0.7)).bounds == (0.0, 0.7)
    assert "1 values" in refused(save(np.where(x == 0.7, 0.70001, x)), bounds=(0, 0.7))


def test_npz(tmp_path):
    x, y = np.arange(40.0).reshape(20, 2), np.arange(20)
    np.savez(tmp_path / "one.npz", anything=x)
    np.savez(tmp_path / "named.npz", y=y, x=x)
    np.savez(tmp_path / "unclear.npz", y=y, z=x)
    for name in ("one.npz", "named.npz"):
        assert np.array_equal(np.sort(together(load(str(tmp_path / name))).numpy(), 0), x)
    said = refused(tmp_path / "unclear.npz")
    assert "['y', 'z']" in said
    assert "unclear.npz" in said


def test_npz_members(tmp_path):
    x, y = np.arange(40.0).reshape(20, 2), np.arange(60.0).reshape(20, 3)
    path = tmp_path / "several.npz"
    np.savez(path, images=x, **{"a:b/c": y})
    assert load(f"{path}:images").event_shape == (2,)
    assert load(f"{path}:a:b/c").event_shape == (3,)
    named = load(f"{path}:images", scaling="standardise")
    assert named.name == f"{path}:images"
    assert torch.equal(load(**named.recipe).train, named.train)
    assert "has no array 'image'; it holds 'images', 'a:b/c'" in refused(f"{path}:image")
    assert "has no array ''" in refused(f"{path}:")
    assert f"name the one to take, '{path}:images'" in refused(path)
    assert "no file at" in refused(tmp_path / "absent.npz:x")
    np.save(tmp_path / "x.npy", x)
    (tmp_path / "x.npy").rename(tmp_path / "single.npz")
    assert "holds one array, which has no name: leave out ':x'" in refused(tmp_path / "single.npz:x")


@pytest.mark.parametrize(
    ("name", "file", "member"),
    [
        ("x.npz:images", "x.npz", "images"),
        ("C:\\data\\x.npz", "C:\\data\\x.npz", None),
        ("C:\\data\\x.NPZ:images", "C:\\data\\x.NPZ", "images"),
        ("C:x.npy", "C:x.npy", None),
        ("x.npz", "x.npz", None),
        ("a.npz:b/x.npz:y", "a.npz:b/x.npz", "y"),
    ],
)
def test_a_drive_is_no_file(name, file, member):
    assert file_and_member(name) == (file, member)


def poisoned(value, dtype=float, shape=(20, 3), at=(7, 1)):
    x = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    x[at] = value
    return x


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (poisoned(np.nan), ["finite", "1 are not", "nan", "datum 7, feature 1"]),
        (poisoned(-np.inf, shape=(20, 2, 2), at=(7, 1, 0)), ["-inf", "datum 7, feature (1, 0)"]),
        (poisoned(1e300), ["3.4e38", "datum 7, feature 1"]),
        (poisoned(1e30), ["1e+15", "1e+30 at datum 7, feature 1", "change the unit"]),
        (1e-30 * poisoned(1.0), ["1e-15", "change the unit"]),
        (poisoned(2**24 + 1, np.int64), ["2**24", "16777217", "datum 7, feature 1"]),
        (poisoned(-(2**63), np.int64), ["2**24", "1 lie outside"]),
        (poisoned(2**64 - 1, np.uint64), ["2**24", "1 lie outside"]),
        (np.arange(20.0), ["2 dimensions", "(20,)", "reshape"]),
        (np.array(3.0), ["2 dimensions", "()"]),
        (np.arange(18.0).reshape(9, 2), ["10 rows", "(9, 2)"]),
        (np.empty((0, 3)), ["10 rows", "(0, 3)"]),
        (np.empty((20, 0)), ["one feature", "(20, 0)"]),
        (np.full((20, 3), 2.5), ["vary", "60 values", "2.5"]),
        (np.zeros((20, 3), complex), ["complex128"]),
        (np.full((20, 3), "a"), ["real numbers"]),
        (np.zeros((20, 3), "M8[s]"), ["datetime64"]),
    ],
)
def test_arrays_no_model_could_be_trained_on(save, x, words):
    said = refused(save(x))
    assert all(word in said for word in ["x.npy", *words]), said


def test_two_to_the_24_itself_is_exact(save):
    assert together(load(save(poisoned(2**24, np.int64)))).max() == 2**24


def test_pickles_are_never_read(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    np.save(tmp_path / "trap.npy", np.array([[Trap()]] * 20, dtype=object), allow_pickle=True)
    np.savez(tmp_path / "trap.npz", x=np.array([[Trap()]] * 20, dtype=object), allow_pickle=True)
    for name in ("trap.npy", "trap.npz"):
        said = refused(tmp_path / name)
        assert name in said


def whole():
    buffer = io.BytesIO()
    np.save(buffer, np.arange(60.0).reshape(20, 3))
    return buffer.getvalue()


def zipped():
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=np.random.default_rng(0).normal(size=(20, 3)))
    return buffer.getvalue()


UNCLOSED = whole().replace(b"(20, 3)", b"(20, 3 ")  # NumPy's tokenizer has an error of its own for it


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", whole()[:200], whole()[:20], zipped()[:100], zipped()[:80] + b"????" + zipped()[84:], UNCLOSED],
)
@pytest.mark.parametrize("name", ["broken.npy", "broken.npz"])
def test_corrupt_files(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    said = refused(tmp_path / name)
    assert name in said
    assert "cannot read" in said


def test_absent_files_and_folders(tmp_path):
    assert "no file at" in refused(tmp_path / "absent.npy")
    (tmp_path / "folder.npy").mkdir()
    assert "folder.npy" in refused(tmp_path / "folder.npy")


def test_constant_columns_cannot_be_standardised(save):
    x = np.random.default_rng(0).normal(size=(30, 4))
    x[:, [1, 3]] = 0.1
    said = refused(save(x), scaling="standardise")
    assert "[1, 3]" in said
    assert "drop" in said
    assert load(save(x)).event_shape == (4,)


def test_what_needs_bounds_or_a_grid(save):
    path = save(np.random.default_rng(0).uniform(size=(30, 4)))
    assert "bounds=(low, high)" in refused(path, binarise="dynamic")
    assert "bounds=(low, high)" in refused(path, scaling="unit-interval")
    assert "grid" in refused(path, dequantise=True)
    assert load(path, binarise="dynamic", bounds=(0, 1)).grid == Grid(0.0, 1.0, 2)
