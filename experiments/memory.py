"""Whether a pair fits into memory: estimated before it is built, and told of errors."""

import math
import os
import re
import sys
from collections.abc import Callable

import torch
from torch import nn

# Bytes of a parameter in training: its value, its gradient and Adam's two moments, in float32.
_PARAMETER, _FLOAT = 16, 4
# Of an entry of eta in training: its value, its gradient, and what the distribution keeps of it for the backward pass;
# in validation, which takes more data at once: its value and its log-probability. All in float32.
_TRAINED, _VALIDATED = 12, 8
_VALIDATION_BATCH = 500


def bytes_of_training(build: Callable[[], nn.Module], outputs: int, batch_size: int = 100) -> float:
    """Return how many bytes of memory training takes, at least.

    Args:
        build: makes the networks, on torch's ``meta`` device, where a tensor has a shape and no memory.
        outputs: of the decoder, for a datum.
        batch_size: data in a minibatch.
    """
    entries = max(_TRAINED * batch_size, _VALIDATED * _VALIDATION_BATCH)
    return _PARAMETER / _FLOAT * bytes_of_parameters(build) + entries * outputs


def bytes_of_parameters(build: Callable[[], nn.Module]) -> float:
    """Return how many bytes the parameters of networks take, which are made as for :func:`bytes_of_training`."""
    try:
        # What cannot be made without values, such as the masks of flows, takes random numbers.
        with torch.random.fork_rng(devices=[]), torch.device("meta"):
            networks = build()
    except RuntimeError as error:
        if not _is_overflow(error):
            raise
        return math.inf
    return _FLOAT * sum(p.numel() for p in networks.parameters())


def machine_memory() -> int:
    """Return the bytes of the machine's memory; where the system does not say, as on Windows, more than any has."""
    if not hasattr(os, "sysconf"):
        return sys.maxsize
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def in_words(size: float) -> str:
    """Return a number of bytes in words, such as 3 GB."""
    if not math.isfinite(size):
        return "more memory than can be counted"
    return f"{size / 1e9:,.0f} GB" if size >= 1e10 else f"{size / 1e9:,.1f} GB"


def out_of_memory(error: BaseException) -> str | None:
    """Return what an error says of too little memory, or None where it speaks of something else.

    torch has a class of its own for a full GPU, but on the CPU it raises a bare RuntimeError.
    """
    text = " ".join(str(error).split())
    if size := re.search(r"(?:tried|unable) to allocate ([\d.]+ ?\w+)", text, re.IGNORECASE):
        return f"cannot allocate {_size(size[1])}: take smaller networks, batches or data"
    is_memory = isinstance(error, MemoryError | torch.OutOfMemoryError)
    if is_memory or (isinstance(error, RuntimeError) and _is_overflow(error)):
        why = f" ({text})" if text else ""
        return f"cannot allocate enough memory{why}: take smaller networks, batches or data"
    return None


def _is_overflow(error: RuntimeError) -> bool:
    return "Storage size calculation overflowed" in str(error)


def _size(text: str) -> str:
    """Return a size as torch and NumPy write it, where it is in bare bytes in units that one reads at a glance."""
    bare = re.fullmatch(r"(\d+) ?bytes", text)
    return in_words(int(bare[1])) if bare and int(bare[1]) >= 1e8 else text
