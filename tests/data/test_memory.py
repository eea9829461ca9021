"""Arrays and tensors from memory: what is taken, copied and refused."""

import numpy as np
import pytest
import torch

from obsvae.data import Grid, load
from obsvae.errors import UsageError

SPLITS = ("train", "validation", "test")
X = np.random.default_rng(0).normal(size=(30, 3))
THIRDS = {"train": range(10), "validation": range(10, 20), "test": range(20, 30)}


def refused(x, **kwargs):
    with pytest.raises(UsageError) as caught:
        load(x, **kwargs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def source(dataset):
    """Return all rows in the order of the source."""
    x = torch.cat([dataset.split(split) for split in SPLITS])
    return x[torch.cat([dataset.rows[split] for split in SPLITS]).argsort()].numpy()


def test_an_array_is_the_dataset_of_its_file(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, X)
    array, file = load(X, scaling="standardise"), load(path, scaling="standardise")
    assert (array.name, file.name) == ("array", str(path))
    assert array.sha256 == file.sha256
    assert torch.equal(array.scaling.scale, file.scaling.scale)
    for split in SPLITS:
        assert torch.equal(array.split(split), file.split(split))
        assert torch.equal(array.rows[split], file.rows[split])
        assert len(array.labels[split]) == 0
    np.testing.assert_array_equal(source(array), X.astype(np.float32))


TENSORS = {
    "float64": torch.from_numpy(X),
    "float16": torch.from_numpy(X).half(),
    "bfloat16": torch.from_numpy(X).bfloat16(),
    "float8": torch.from_numpy(X).to(torch.float8_e4m3fn),
    "gradients": torch.from_numpy(X).float().requires_grad_(),
    "parameter": torch.nn.Parameter(torch.from_numpy(X)),
    "part of complex": torch.from_numpy(X + 1j * X).conj().imag,
    "strided": torch.from_numpy(X).T.contiguous().T,
    "bool": torch.from_numpy(X > 0),
    "uint8": torch.arange(90, dtype=torch.uint8).reshape(30, 3),
    "uint16": torch.arange(90).reshape(30, 3).to(torch.uint16),
    "int64": torch.arange(90).reshape(30, 3),
}


@pytest.mark.parametrize("x", TENSORS.values(), ids=TENSORS)
def test_tensors_of_every_real_dtype(x):
    dataset = load(x)
    assert dataset.train.dtype == torch.float32
    assert not dataset.train.requires_grad
    np.testing.assert_array_equal(source(dataset), x.detach().float().resolve_neg().numpy())


def test_dtypes_in_memory_declare_what_they_declare_in_a_file():
    assert (load(X > 0).bounds, load(X > 0).grid) == ((0.0, 1.0), Grid(0.0, 1.0, 2))
    assert load(TENSORS["uint8"]).bounds == (0.0, 255.0)
    assert load(TENSORS["int64"]).grid == Grid(0.0, 1.0, 90)
    assert load(TENSORS["int64"], bounds=(0, 99)).grid == Grid(0.0, 1.0, 100)
    assert load(X, bounds=(-9, 9), binarise="static").grid == Grid(0.0, 1.0, 2)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_tensor_on_the_gpu():
    x = torch.from_numpy(X).cuda().requires_grad_()
    masks = {split: torch.isin(torch.arange(30), torch.tensor(rows)).cuda() for split, rows in THIRDS.items()}
    dataset = load(x, labels=torch.arange(30).cuda(), splits=masks)
    assert dataset.train.device.type == "cpu"
    np.testing.assert_array_equal(dataset.test.numpy(), X[20:].astype(np.float32))
    assert dataset.labels["test"].tolist() == list(range(20, 30))


@pytest.mark.parametrize("as_given", [np.array, torch.tensor])
def test_the_callers_data_stay_and_later_changes_do_not_reach_the_dataset(as_given):
    x, labels = as_given(X.astype(np.float32)), as_given(np.arange(30))
    splits, names = {split: as_given(np.array(rows)) for split, rows in THIRDS.items()}, ["a", "b", "c"]
    dataset = load(x, names=names, labels=labels, splits=splits, dequantise=False, scaling="standardise")
    np.testing.assert_array_equal(x, X.astype(np.float32))
    for tensor in (x, labels, *splits.values()):
        tensor[:] = 7
    names[0] = "z"
    np.testing.assert_array_equal(source(dataset), X.astype(np.float32))
    assert dataset.names == ("a", "b", "c")
    for split, rows in THIRDS.items():
        assert dataset.labels[split].tolist() == dataset.rows[split].tolist() == list(rows)


@pytest.mark.parametrize("N", [10, 30])
def test_few_rows(N):
    dataset = load(X[:N])
    assert [len(dataset.split(split)) for split in SPLITS] == [N - N // 5, N // 10, N // 10]
    assert "10 rows" in refused(X[:9])


def test_twenty_thousand_columns():
    x = np.zeros((20, 20_000), np.float32)
    x[:, 0] = np.arange(20)
    assert load(x, names=[f"gene {i}" for i in range(20_000)]).event_shape == (20_000,)
    said = refused(x, scaling="standardise")
    assert "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10] and 19989 more" in said
    assert "more than" not in said
    assert len(said) < 200
    said = refused(x[:, :3], scaling="standardise", names=["a", "b", "c"])
    assert "columns ['b', 'c'] are constant" in said


def test_columns_in_very_different_units():
    units = np.array([1e-9, 1.0, 1e9])
    dataset = load(X * units, scaling="standardise")
    scaled = (dataset.train - dataset.scaling.offset) / dataset.scaling.scale
    torch.testing.assert_close(scaled.std(0, correction=0), torch.ones(3))
    np.testing.assert_array_equal(source(dataset), (X * units).astype(np.float32))


def test_columns_that_float32_cannot_tell_apart():
    x = X.copy()
    x[:, 1] = 1.7e9 + 60.0 * np.arange(30)  # a timestamp each minute: float32 holds every other one
    said = refused(x, names=["a", "time", "b"])
    for words in ("feature 'time'", "vary by 1740", "steps of 128", "subtract an offset"):
        assert words in said, said
    assert "feature 1 (counted from 0)" in refused(x)
    assert "steps of 128" in refused(np.repeat(x[:, None, 1:2], 2, 1))
    x[:, 1] -= 1.7e9
    assert load(x).train[:, 1].max() == 1740.0
    x[:, 1] = 1.7e9 + 1024.0 * np.arange(30)  # exact
    load(x)
    x[:, 1] = 0.1 + 1e-17 * np.arange(30)  # constant but for rounding
    load(x)


MASKED = np.ma.masked_greater(X, 1.0)


def test_a_masked_array_without_masked_entries_is_an_array():
    np.testing.assert_array_equal(source(load(np.ma.array(X))), X.astype(np.float32))
    said = refused(MASKED)
    for words in (
        f"{MASKED.mask.sum()} of 90 entries masked",
        "declare that entries are missing (missing=True)",
        "filled",
    ):
        assert words in said
    load(MASKED.filled(0.0))


def changed(value):
    x = X.copy()
    x[7, 1] = value
    return x


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (X.astype(object), ["array: ", "real numbers", "object", "x.astype(float)"]),
        (X.astype(str), ["<U32", "encode texts"]),
        (X + 1j, ["complex128", "imaginary"]),
        (torch.from_numpy(X + 1j), ["complex128", "imaginary"]),
        (X[:, 0], ["2 dimensions", "(30,)", "x.reshape(-1, 1)"]),
        (torch.tensor(3.0), ["2 dimensions", "()"]),
        (changed(np.nan), ["finite", "1 are not", "datum 7, feature 1"]),
        (torch.from_numpy(changed(np.inf)), ["finite", "inf", "datum 7, feature 1"]),
        (np.zeros((30, 3), [("a", float)]), ["real numbers"]),
        (np.zeros((30, 0)), ["one feature"]),
        (torch.from_numpy(X).to_sparse(), ["dense", "x.to_dense()"]),
        (torch.empty(30, 3, device="meta"), ["holds its values", "on meta"]),
    ],
)
def test_arrays_no_model_could_be_trained_on(x, words):
    said = refused(x)
    assert all(word in said for word in ["array: ", *words]), said


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (3, ["got int"]),
        (None, ["got NoneType"]),
        (b"digits", ["got bytes"]),
        (X.tolist(), ["got list", "np.array(list(x))"]),
        ((row for row in X), ["got generator", "np.array(list(x))"]),
        (load("digits"), ["got Dataset"]),
    ],
)
def test_other_types(x, words):
    said = refused(x)
    takes = "load takes a known name, the path of a .npy or .npz file, of a table or of a folder of images, a NumPy"
    assert all(word in said for word in [takes, *words]), said


def test_a_column_of_a_data_frame_and_its_remedy():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    assert "pass series.to_frame()" in refused(frame["a"])
    assert load(frame["a"].to_frame()).names == ("a",)
    text = frame.assign(text="a").to_numpy()
    assert "encode texts" in refused(text)
