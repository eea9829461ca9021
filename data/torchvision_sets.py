"""The image sets that torchvision downloads."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from obsvae.data.checks import checked
from obsvae.data.folder import data_folder
from obsvae.data.grid import Grid
from obsvae.data.splits import official
from obsvae.data.stored import Stored
from obsvae.errors import UsageError

Part = tuple[np.ndarray, np.ndarray]  # uint8 images (N, *event) and labels (N,)

VALIDATION = {"mnist": 10_000, "fashion-mnist": 10_000, "kmnist": 10_000, "cifar10": 5_000, "omniglot": 2_000}
SECONDS = 30.0  # without an answer before a download is given up; torchvision itself would wait for ever


def mnist() -> Stored:
    """Return MNIST, (28, 28)."""
    return _idx("mnist", "MNIST")


def fashion_mnist() -> Stored:
    """Return Fashion-MNIST, (28, 28)."""
    return _idx("fashion-mnist", "FashionMNIST")


def kmnist() -> Stored:
    """Return Kuzushiji-MNIST, (28, 28)."""
    return _idx("kmnist", "KMNIST")


def cifar10() -> Stored:
    """Return CIFAR-10, (3, 32, 32)."""
    from torchvision.datasets import CIFAR10

    def part(root: Path, train: bool, download: bool) -> Part:
        # CIFAR-10 is distributed as pickles; torchvision reads them only where their MD5 is the published one.
        stored = CIFAR10(root, train=train, download=download)
        return stored.data.transpose(0, 3, 1, 2), np.array(stored.targets)

    return _stored("cifar10", CIFAR10.base_folder, f"unpack {CIFAR10.url}", part)


def omniglot() -> Stored:
    """Return Omniglot, (105, 105): the background set for training, the evaluation set as the test.

    Labels are character classes, numbered from 0 in each: the two sets share no character.
    """
    from PIL import Image
    from torchvision.datasets import Omniglot

    def part(root: Path, train: bool, download: bool) -> Part:
        stored = Omniglot(root, background=train, download=download)
        # torchvision lists files in whatever order the file system has; sorted, splits are the same everywhere.
        files = sorted(Path(stored.target_folder).glob("*/*/*.png"))
        characters = sorted({file.parent for file in files})
        number = {character: i for i, character in enumerate(characters)}
        images = np.stack([np.asarray(Image.open(file).convert("L")) for file in files])
        return images, np.array([number[file.parent] for file in files])

    zips = " and ".join(f"{Omniglot.download_url_prefix}/{name}.zip" for name in Omniglot.zips_md5)
    return _stored("omniglot", Omniglot.folder, f"put and unpack {zips}", part)


def _idx(name: str, class_name: str) -> Stored:
    from torchvision import datasets

    cls = getattr(datasets, class_name)

    def part(root: Path, train: bool, download: bool) -> Part:
        stored = cls(root, train=train, download=download)
        return stored.data.numpy(), stored.targets.numpy()

    files = ", ".join(file for file, _ in cls.resources)
    return _stored(name, f"{class_name}/raw", f"unpack {files} from {cls.mirrors[0]}", part)


def _stored(name: str, folder: str, remedy: str, part: Callable[[Path, bool, bool], Part]) -> Stored:
    """Read both parts, downloading what is absent; any failure becomes one UsageError that says what to do."""
    root = data_folder()
    download = not _read_only(root)
    try:
        with _timeout(SECONDS):
            (x, labels), (test, test_labels) = part(root, True, download), part(root, False, download)
    except Exception as error:  # torchvision, urllib, zipfile and the file system each raise errors of their own
        why = f"{type(error).__name__}: {' '.join(str(error).split())}" if download else "the folder is read-only"
        raise UsageError(
            f"{name!r} is not complete in {str(root / folder)!r} and could not be downloaded into it ({why}): "
            f"{remedy} into that folder, or set OBSVAE_DATA to a folder that holds {folder}"
        ) from error
    N = len(x) + len(test)
    return Stored(
        x=checked(np.concatenate([x, test]), repr(name)),
        rows=official(N, VALIDATION[name], len(test)),
        labels=np.concatenate([labels, test_labels]),
        bounds=(0.0, 255.0),
        grid=Grid(0.0, 1.0, 256),
    )


@contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _read_only(folder: Path) -> bool:
    """Say whether a folder exists and is marked read-only; the mark counts for root too, whom it does not stop."""
    return folder.is_dir() and not folder.stat().st_mode & 0o222
