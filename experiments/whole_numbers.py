"""Whole numbers among arguments, checked before anything is computed."""

from numbers import Integral

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
