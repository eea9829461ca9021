"""CIFAR-10, Omniglot and KMNIST from small forgeries in torchvision's layouts."""

import pickle

import numpy as np
import pytest
import torch
from PIL import Image

from obsvae.data import load, torchvision_sets
from obsvae.errors import UsageError


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("OBSVAE_DATA", str(tmp_path))
    monkeypatch.setattr(torchvision_sets, "VALIDATION", dict.fromkeys(torchvision_sets.VALIDATION, 5))
    return tmp_path


def test_cifar10_is_channel_first(root, monkeypatch):
    from torchvision.datasets import CIFAR10

    folder = root / CIFAR10.base_folder
    folder.mkdir()
    # Row r: red 3r, green 3r + 1, blue 3r + 2 everywhere, but for the second pixel of the first row, 255 in red.
    colours = np.arange(24, dtype=np.uint8).repeat(1024).reshape(8, 3072)
    colours[:, 1] = 255
    for name in ("data_batch_1", "data_batch_2", "test_batch"):
        (folder / name).write_bytes(pickle.dumps({"data": colours, "labels": list(range(8))}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list("abcdefgh")}))
    monkeypatch.setattr(CIFAR10, "train_list", [["data_batch_1", None], ["data_batch_2", None]])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", None]])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": None})
    cifar = load("cifar10")
    assert cifar.event_shape == (3, 32, 32)
    assert (len(cifar.train), len(cifar.validation), len(cifar.test)) == (11, 5, 8)
    assert cifar.test[2, :, 5, 7].tolist() == [6.0, 7.0, 8.0]
    assert cifar.test[2, :, 0, 1].tolist() == [255.0, 7.0, 8.0]
    assert torch.equal(cifar.train[:, 1, 0, 0], 3.0 * cifar.labels["train"] + 1)
    assert cifar.labels["test"].tolist() == list(range(8))


def test_omniglot_is_sorted_whatever_the_file_system_says(root, monkeypatch):
    from torchvision.datasets import Omniglot

    folder = root / Omniglot.folder
    shades = {}
    for part in ("images_background", "images_evaluation"):
        for i, character in enumerate(["B/character02", "A/character01", "B/character01", "A/character02"]):
            (folder / part / character).mkdir(parents=True)
            for j in range(3):
                shade = 10 * i + j
                shades[shade] = sorted(["A/character01", "A/character02", "B/character01", "B/character02"]).index(
                    character
                )
                Image.new("L", (105, 105), shade).save(folder / part / character / f"{j}.png")
        (folder / f"{part}.zip").touch()
    monkeypatch.setattr(Omniglot, "zips_md5", {"images_background": None, "images_evaluation": None})
    omniglot = load("omniglot")
    assert omniglot.event_shape == (105, 105)
    assert (len(omniglot.train), len(omniglot.validation), len(omniglot.test)) == (7, 5, 12)
    assert omniglot.test[:, 0, 0].tolist() == [10, 11, 12, 30, 31, 32, 20, 21, 22, 0, 1, 2]
    for split in ("train", "validation", "test"):
        assert omniglot.labels[split].tolist() == [shades[int(shade)] for shade in omniglot.split(split)[:, 0, 0]]


def idx(x):
    """Return the bytes of an IDX file of uint8."""
    return bytes([0, 0, 8, x.ndim]) + b"".join(n.to_bytes(4, "big") for n in x.shape) + x.tobytes()


def write_kmnist(root):
    folder = root / "KMNIST" / "raw"
    folder.mkdir(parents=True)
    for part, N in (("train", 20), ("t10k", 12)):
        x = np.arange(N, dtype=np.uint8)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(idx(x.repeat(784).reshape(N, 28, 28)))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(x % 10))
    return folder


def test_files_that_are_present_are_read_and_nothing_is_written(root):
    folder = write_kmnist(root)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    kmnist = load("kmnist")
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before
    assert len(before) == 6
    assert folder.is_dir()
    assert (len(kmnist.train), len(kmnist.validation), len(kmnist.test)) == (15, 5, 12)
    assert kmnist.test[:, 3, 4].tolist() == list(range(12))
    assert sorted(torch.cat([kmnist.train, kmnist.validation])[:, 0, 0].tolist()) == list(range(20))


def test_a_truncated_file_is_reported(root):
    folder = write_kmnist(root)
    whole = (folder / "train-images-idx3-ubyte").read_bytes()
    (folder / "train-images-idx3-ubyte").write_bytes(whole[:1000])
    with pytest.raises(UsageError, match="'kmnist' is not complete in") as caught:
        load("kmnist")
    assert "\n" not in str(caught.value)
