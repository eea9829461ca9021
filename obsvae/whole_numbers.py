"""Numbers among arguments, checked before anything is computed."""

import math
from numbers import Integral, Real

from obsvae.errors import UsageError


def whole(name: str, value: int, least: int = 1) -> int:
    """Return an argument that has to be a whole number, as Python's own kind, which JSON knows.

    Args:
        name: of the argument.
        value: what was given.
        least: the smallest value allowed.

    Raises:
        UsageError: for anything else.
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise UsageError(f"{name} needs to be a whole number of at least {least}, but got {value!r}")
    return int(value)


def whole_or_none(name: str, value: int | None, least: int = 1) -> int | None:
    """Return an argument that has to be None or a whole number; raise UsageError as :func:`whole` does."""
    return None if value is None else whole(name, value, least)


def require_seed(value: int) -> None:
    """Refuse what no generator takes for a seed; raise UsageError as :func:`whole` does."""
    if whole("seed", value, least=0) >= 2**63:
        raise UsageError(f"seed needs to be a whole number from 0 to 2^63 - 1, but got {value}")


def require_positive(name: str, value: float) -> None:
    """Refuse anything but a finite number above 0; raise UsageError as :func:`whole` does."""
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 < value < math.inf:
        raise UsageError(f"{name} needs to be a number above 0, but got {value!r}")


def require_number(name: str, value: float, least: float) -> None:
    """Refuse anything but a finite number of at least the least; raise UsageError as :func:`whole` does."""
    if not isinstance(value, Real) or isinstance(value, bool) or not least <= value < math.inf:
        raise UsageError(f"{name} needs to be a number of at least {least:g}, but got {value!r}")
