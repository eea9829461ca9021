"""Conditions beside data: rows of c where a model has conditions, None where it has none."""

from collections.abc import Iterator

import torch
from torch import Tensor


def present(*values: Tensor | None) -> tuple[Tensor, ...]:
    """Return those that are there: programs without conditions are called without."""
    return tuple(value for value in values if value is not None)


def rows_of(c: Tensor | None, which: Tensor | slice) -> Tensor | None:
    """Return some rows of conditions."""
    return None if c is None else c[which]


def batches(x: Tensor, c: Tensor | None, size: int) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Return data and their conditions, some at a time."""
    return ((x[start : start + size], rows_of(c, slice(start, start + size))) for start in range(0, len(x), size))


def minibatches(x: Tensor, c: Tensor | None, size: int) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Return data and their conditions in a random order, some at a time."""
    for index in torch.randperm(len(x), device=x.device).split(size):
        yield x[index], rows_of(c, index)


def alike(c: Tensor | None, n: int) -> Tensor | None:
    """Return n conditions in which each row is as often as in c, or once more: for n draws from a model.

    Those that are there once more are spread evenly over the rows.
    """
    if c is None:
        return None
    return c[(torch.arange(n, device=c.device) * len(c)) // n] if n else c[:0]
