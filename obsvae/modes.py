"""Settings that hold for a while: the random state, evaluation mode, and that no other thread has them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from obsvae.module import HasModules
from obsvae.whole_numbers import require_seed

_STATE = threading.RLock()


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep other threads waiting that need torch's random numbers, or Pyro, until it ends.

    Both are the process's own: of two threads that draw, or trace a program, at once each would get something of the
    other's. One after the other both get what they would get alone.
    """
    with _STATE:
        yield


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Draw from a generator state set by ``seed``, and put the caller's state back; one thread at a time does.

    Raises:
        UsageError: for what is no seed.
    """
    require_seed(seed)
    devices = [device] if device.type == "cuda" else []
    with one_thread(), torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


@contextmanager
def evaluating(*modules: HasModules) -> Iterator[None]:
    """Switch to evaluation mode without gradients, and put the caller's modes back afterwards."""
    # Part by part: a caller may have frozen one of them.
    before = [(part, part.training) for module in modules for part in module.modules()]
    for part, _ in before:
        part.training = False
    try:
        with torch.no_grad():
            yield
    finally:
        for part, mode in before:
            part.training = mode


def another(seed: int) -> int:
    """Return a seed for numbers that must not be those of this one again."""
    return int(np.random.SeedSequence(seed).spawn(1)[0].generate_state(1)[0])
