"""Settings that hold for a while: numbers flushed to 0, and no checks of arguments."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyro
import torch

from obsvae.inference.protocols import Program
from obsvae.modes import one_thread


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


@contextmanager
def unchecked() -> Iterator[None]:
    """Leave out Pyro's and torch's checks of arguments: for data that were checked when they came in."""
    with one_thread(), pyro.validation_enabled(False):
        yield


def device_of(module: Program) -> torch.device:
    """Return the device of a module's parameters."""
    return next(module.parameters()).device
