"""Names, labels and splits of the caller's, for arrays from memory and for files."""

from pathlib import Path

import numpy as np
import pytest
import torch

from obsvae.data import load
from obsvae.errors import UsageError

X = np.random.default_rng(0).normal(size=(30, 3))
THIRDS = {"train": range(10), "validation": range(10, 20), "test": range(20, 30)}


def refused(x, **kwargs):
    with pytest.raises(UsageError) as caught:
        load(x, **kwargs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_splits_keep_the_callers_order_and_may_leave_rows_out():
    masked = np.arange(30) >= 28
    dataset = load(X, splits={"train": [5, 3, 4], "validation": torch.tensor([29, 0])[1:], "test": masked})
    assert {split: rows.tolist() for split, rows in dataset.rows.items()} == {
        "train": [5, 3, 4],
        "validation": [0],
        "test": [28, 29],
    }
    np.testing.assert_array_equal(dataset.train.numpy(), X[[5, 3, 4]].astype(np.float32))


def test_names_labels_and_recipe_stay_through_transforms_and_devices():
    x = np.arange(90, dtype=np.uint8).reshape(30, 3)
    for how in ({"binarise": "dynamic"}, {"binarise": "threshold"}, {"dequantise": True, "warp": 0.2}):
        dataset = load(x, names=("a", "b", "c"), labels=np.arange(30), **how)
        assert dataset.names == dataset.to("meta").names == ("a", "b", "c")
        assert dataset.labels["test"].tolist() == dataset.rows["test"].tolist()
        assert dataset.recipe is None


def test_files_take_names_labels_and_splits_too(tmp_path):
    np.save(tmp_path / "x.npy", X)
    named = load(Path(tmp_path / "x.npy"), names=["a", "b", "c"])
    assert named.recipe["names"] == ["a", "b", "c"]
    assert load(**named.recipe).names == named.names == ("a", "b", "c")
    labelled = load(tmp_path / "x.npy", labels=[True, False] * 15, splits=THIRDS)
    assert labelled.labels["train"].tolist() == [1, 0] * 5
    assert labelled.recipe is None  # labels and splits come from memory


def test_errors_name_the_feature():
    x, names = X.copy(), ["height", "weight", "age"]
    x[7, 1] = 99
    where = "datum 7 (counted from 0), feature 'weight'"
    assert where in refused(x, names=names, bounds=(-9, 9))
    x[7, 1] = np.nan
    assert where in refused(x, names=names)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.arange(29), ["(30,)", "(29,)"]),
        (np.eye(30), ["(30,)", "(30, 30)"]),
        (3, ["(30,)", "()"]),
        (["a", "b", "c"] * 10, ["integers", "<U1", "np.unique(labels, return_inverse=True)[1]"]),
        (np.arange(30.0), ["integers", "float64"]),
        (np.full(30, 2**64 - 1, np.uint64), ["2**63"]),
        ([[1], [1, 2]], ["labels", "one-dimensional"]),
        ((label for label in range(30)), ["(30,)", "()"]),
        (np.ma.masked_equal(np.arange(30), 3), ["labels", "masked"]),
    ],
)
def test_wrong_labels(labels, words):
    said = refused(X, labels=labels)
    assert all(word in said for word in words), said


def test_the_remedy_for_texts_as_labels():
    labels = np.unique(["b", "a", "c"] * 10, return_inverse=True)[1]
    assert load(X, labels=labels, splits=THIRDS).labels["train"][:3].tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a", "b"], ["3 texts", "got 2"]),
        (["a", "b", "a"], ["distinct", "'a' is the name of 2"]),
        (["1", "b", 1], ["distinct", "'1'"]),
        ("abc", ["list of texts", "'abc'"]),
        (3, ["list of texts", "3"]),
        ([("a", "b"), "c", "d"], ["('a', 'b')", "[str(name) for name in names]"]),
    ],
)
def test_wrong_names(names, words):
    said = refused(X, names=names)
    assert all(word in said for word in words), said


def test_names_are_for_vectors():
    assert "names need vectors" in refused(X.reshape(30, 3, 1), names=["a"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"test": [9, 20, 21]}, ["at most once", "1 repeated", "row 9 in 'train' and 'test'"]),
        ({"train": [1, 2, 2]}, ["1 repeated", "row 2 in 'train' and 'train'"]),
        ({"test": []}, ["'test'", "at least one row", "empty"]),
        ({"validation": np.zeros(30, bool)}, ["'validation'", "at least one row", "empty"]),
        ({"test": np.ones(29, bool)}, ["'test'", "mask of shape (30,)", "(29,)"]),
        ({"test": [29, 30]}, ["0 to 29", "1 lie outside", "30"]),
        ({"test": [-1]}, ["0 to 29", "-1"]),
        ({"test": [20.0]}, ["row numbers", "float64"]),
        ({"test": [[20], [21]]}, ["one-dimensional", "(2, 1)"]),
        ({"test": slice(20, 30)}, ["slice", "np.arange(N)[slice]"]),
        ({"val": [1]}, ["exactly the names 'train', 'validation', 'test'", "got 'train', 'validation', 'test', 'val'"]),
    ],
)
def test_wrong_splits(change, words):
    said = refused(X, splits={**THIRDS, **change})
    assert all(word in said for word in words), said


def test_splits_of_other_kinds():
    assert "got none" in refused(X, splits={})
    assert "mapping" in refused(X, splits=(X[:20], X[20:]))
    rows = {"train": slice(10), "validation": slice(10, 20), "test": slice(20, None)}
    assert len(load(X, splits={split: np.arange(30)[part] for split, part in rows.items()}).test) == 10
