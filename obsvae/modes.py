"""Settings that hold for a while: the random state, and evaluation mode."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from obsvae.module import HasModules
from obsvae.whole_numbers import require_seed


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Draw from a generator state set by ``seed``, and put the caller's state back afterwards.

    Raises:
        UsageError: for what is no seed.
    """
    require_seed(seed)
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
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
