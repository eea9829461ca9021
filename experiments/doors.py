"""Arguments of functions that name things outside of them: folders, runs, rows and devices."""

import os
from pathlib import Path

import torch

from obsvae.errors import UsageError


def as_path(given: object) -> Path:
    """Return the path that was given.

    Raises:
        UsageError: for anything but a text or a path.
    """
    if not isinstance(given, str | os.PathLike):
        raise UsageError(f"a path needs to be a text or a pathlib.Path, but got {type(given).__name__}")
    return Path(given)


def require_kind(given: object, kind: type, remedy: str) -> None:
    """Refuse an argument of another class.

    Args:
        given: the argument.
        kind: its class.
        remedy: what makes one.

    Raises:
        UsageError: naming the class, what arrived, and the remedy.
    """
    if not isinstance(given, kind):
        raise UsageError(f"a {kind.__name__} is needed, but got {type(given).__name__}; take {remedy}")


def as_device(given: torch.device | str) -> torch.device:
    """Return a device on which tensors can be.

    Raises:
        UsageError: for one that torch does not know, or that this machine lacks.
    """
    try:
        device = torch.device(given)
        torch.empty(0, device=device).tolist()
    # of an unknown name, of one that torch was built without, of no name, and of meta, which holds no values
    except (RuntimeError, AssertionError, TypeError, NotImplementedError):
        raise UsageError(f"device needs to be one that torch can use here, such as 'cpu', but got {given!r}") from None
    return device
