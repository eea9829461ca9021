"""Settings that hold for a while: the random state, and evaluation mode without checks."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyro
import torch
from torch import nn


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Draw from a generator state set by ``seed``, and put the caller's state back afterwards."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


@contextmanager
def evaluating(*modules: nn.Module) -> Iterator[None]:
    """Switch to evaluation mode without gradients, and put the caller's modes back afterwards."""
    # Part by part: a caller may have frozen one of them.
    before = [(part, part.training) for module in modules for part in module.modules()]
    for module in modules:
        module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, mode in before:
            part.training = mode


def unchecked() -> pyro.validation_enabled:
    """Leave out Pyro's and torch's checks of arguments: for data that were checked when they came in."""
    return pyro.validation_enabled(False)


def device_of(module: nn.Module) -> torch.device:
    """Return the device of a module's parameters."""
    return next(module.parameters()).device
