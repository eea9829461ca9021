"""How much a trial may cost: small networks, some of the rows, few particles."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from obsvae.data import Dataset
from obsvae.data.dataset import Noise
from obsvae.modes import seeded

# Rows to train on: with more a trial costs more, and the difference of two families is seen as well; of data of many
# features fewer, but not below a thousand.
_TRAINED, _FEWEST, _NUMBERS = 5000, 1000, 2_000_000
# Rows to choose by, and as many for the final numbers; of data of many features fewer, as each costs more.
_SCORED, _ENTRIES = (200, 500), 150_000
# Steps in an epoch, between which validation is looked at.
_STEPS, _BATCH = 10, (16, 400)
_LATENT, _NARROW, _WIDE, _MANY = 8, (64, 64), (128, 128), 100


@dataclass(frozen=True)
class Effort:
    """What all trials of a recommendation have in common.

    Attributes:
        networks: arguments of :func:`make_pair`.
        training: arguments of :func:`fit` but the seed.
        rows: by split, ``validation`` and ``test``, how many are scored.
        particles: K, for each row.
        device: where.
    """

    networks: Mapping[str, Any]
    training: Mapping[str, Any]
    rows: Mapping[str, int]
    particles: int
    device: str


def default_latent(features: int) -> int:
    """Return the size of z: the root of the number of features, 8 at most.

    One to spare would let a family take from z what another has of its own: a Poisson with a z for each column is
    overdispersed, too.
    """
    return min(_LATENT, round(math.sqrt(features)))


def default_hidden(features: int) -> Sequence[int]:
    """Return the sizes of the hidden layers of a multilayer perceptron."""
    return _NARROW if features <= _MANY else _WIDE


def default_batch(rows: int) -> int:
    """Return the size of a minibatch, of which an epoch has ten where rows are neither few nor many."""
    return min(_BATCH[1], max(_BATCH[0], rows // _STEPS))


def rows_trained(features: int, there: int) -> int:
    """Return how many of the training rows that are there are trained on."""
    return min(there, _TRAINED, max(_FEWEST, _NUMBERS // features))


def rows_scored(features: int, there: int) -> int:
    """Return how many of the held-out rows that are there are scored."""
    fewest, most = _SCORED
    return min(there, most, max(fewest, _ENTRIES // features))


def fewer_rows(data: Dataset, seed: int) -> Dataset:
    """Return the data with some of their training rows, drawn at random, where they are many."""
    number = rows_trained(data.train[0].numel(), len(data.train))
    if number == len(data.train):
        return data
    with seeded(seed, torch.device("cpu")):
        kept = torch.randperm(len(data.train))[:number].sort().values
    there = kept.to(data.train.device)
    labels = data.labels.get("train")
    return replace(
        data,
        train=data.train[there],
        rows={**data.rows, "train": data.rows["train"][kept]},
        labels={**data.labels, "train": labels[there]} if labels is not None and len(labels) else data.labels,
        noise=None if data.noise is None else _Some(data.noise, there),
        given={**data.given, "train": data.given["train"][there]} if data.given else {},
    )


@dataclass(frozen=True)
class _Some:
    """Noise in some of the rows."""

    noise: Noise
    kept: Tensor

    def __call__(self, generator: torch.Generator) -> Tensor:
        return self.noise(generator)[self.kept]

    def to(self, device: torch.device | str) -> "_Some":
        return _Some(self.noise.to(device), self.kept.to(device))
