"""What a trial costs: rows, sizes and minibatches."""

import numpy as np
import pytest
import torch

from obsvae.data import load
from obsvae.experiments.recommendation.confirming.effort import (
    default_batch,
    default_latent,
    fewer_rows,
    rows_scored,
    rows_trained,
)


@pytest.fixture(scope="module")
def images():
    x = np.random.default_rng(0).integers(0, 256, size=(8000, 2, 2)).astype(np.uint8)
    return load(x, labels=np.arange(8000) % 7, binarise="dynamic")


def test_of_many_rows_some_are_trained_on_with_what_belongs_to_them(images):
    some = fewer_rows(images, 0)
    assert len(images.train) > 5000 == len(some.train) == len(some.labels["train"]) == len(some.rows["train"])
    place = {row: i for i, row in enumerate(images.rows["train"].tolist())}
    kept = [place[row] for row in some.rows["train"].tolist()]
    assert kept == sorted(set(kept))
    assert torch.equal(some.train, images.train[kept])
    assert torch.equal(some.labels["train"], images.labels["train"][kept])
    # The same draw of noise, of the rows that are kept.
    drawn = [data.epoch(torch.Generator().manual_seed(1)) for data in (images, some)]
    assert torch.equal(drawn[1], drawn[0][kept])
    assert torch.equal(some.test, images.test)
    assert torch.equal(fewer_rows(images, 0).train, some.train)
    assert not torch.equal(fewer_rows(images, 1).train, some.train)


def test_of_few_rows_all_are():
    data = load(np.random.default_rng(0).normal(size=(50, 2)))
    assert fewer_rows(data, 0) is data


def test_sizes():
    assert [default_latent(features) for features in (1, 2, 7, 16, 784)] == [1, 1, 3, 4, 8]
    assert [default_batch(rows) for rows in (30, 1600, 5000)] == [16, 160, 400]
    assert [rows_trained(*of) for of in ((10, 9000), (784, 50_000), (20_000, 9000), (784, 300))] == [
        5000,
        2551,
        1000,
        300,
    ]
    assert [rows_scored(10, 3000), rows_scored(784, 3000), rows_scored(10, 80)] == [500, 200, 80]
