"""Settings that hold for a while: the random state, and evaluation mode without checks."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

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
    training = [module.training for module in modules]
    with ExitStack() as stack:
        for module, mode in zip(modules, training, strict=True):
            stack.callback(module.train, mode)
            module.eval()
        stack.enter_context(torch.no_grad())
        yield


def unchecked() -> pyro.validation_enabled:
    """Leave out Pyro's and torch's checks of arguments: for data that were checked when they came in."""
    return pyro.validation_enabled(False)


def device_of(module: nn.Module) -> torch.device:
    """Return the device of a module's parameters."""
    return next(module.parameters()).device
