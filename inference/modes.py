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


@contextmanager
def flushing_denormals() -> Iterator[None]:
    """Take float32 numbers below 1.2e-38 for 0 on the CPU, as a GPU does.

    Gradients of saturated outputs underflow, and arithmetic on such numbers can be many times slower. It holds
    for the calling thread and for those it starts, so it belongs at the beginning of a program: torch's workers keep
    what held when the first parallel operation started them.
    """
    already = bool(torch.tensor(1e-30, dtype=torch.float32, device="cpu") * 1e-10 == 0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(already)


def unchecked() -> pyro.validation_enabled:
    """Leave out Pyro's and torch's checks of arguments: for data that were checked when they came in."""
    return pyro.validation_enabled(False)


def device_of(module: nn.Module) -> torch.device:
    """Return the device of a module's parameters."""
    return next(module.parameters()).device
