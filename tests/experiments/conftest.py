"""Small data in memory."""

from dataclasses import dataclass

import numpy as np
import pytest
from torch import Tensor

from obsvae.data import load


@dataclass
class Tensors:
    """Training data as `fit` wants them."""

    train: Tensor
    validation: Tensor

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
