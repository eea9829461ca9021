"""Small data in memory."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from torch import Tensor

from obsvae.data import load


@dataclass
class Tensors:
    """Training data as `fit` wants them."""

    train: Tensor
    validation: Tensor
    given: dict[str, Tensor] = field(default_factory=dict)

    def epoch(self, generator):
        return self.train


@pytest.fixture
def tensors():
    return Tensors


@pytest.fixture(scope="session")
def array():
    return np.random.default_rng(0).normal([0.0, 5.0, -3.0, 100.0], [1.0, 2.0, 0.1, 30.0], size=(60, 4))


@pytest.fixture(scope="session")
def in_memory(array):
    return load(array)


@pytest.fixture(scope="session")
def counts():
    """Return whole numbers, which lie on a grid."""
    return load(np.random.default_rng(0).poisson(5, size=(60, 3)))


@pytest.fixture
def hivae_folder(tmp_path, monkeypatch):
    """Return the folder of a small table: a number, its double with a level, and levels with an order."""
    monkeypatch.setenv("OBSVAE_DATA", str(tmp_path))
    table = tmp_path / "hivae" / "Breast"
    table.mkdir(parents=True)
    rng = np.random.default_rng(0)
    number = rng.normal(size=60)
    lines = [f"{a:.4f},{2 * a + 1:.4f},{int(a > 0) + 1},{min(3, max(1, round(a) + 2))}" for a in number]
    (table / "data.csv").write_text("\n".join(lines) + "\n")
    (table / "data_types.csv").write_text("type,dim,nclass\nreal,1,\nreal,1,\ncat,2,2\nordinal,5,5\n")
    (table / "MissingTrue.csv").write_text("2,2\n3,4\n")
    entries = [(row, column) for row in range(1, 61) for column in range(1, 5) if (row + column) % 4 == 0]
    (table / "Missing20_1.csv").write_text("".join(f"{row},{column}\n" for row, column in entries))
    return table
