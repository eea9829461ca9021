"""Conditions c: numbers that are given beside x, and not predicted."""

from torch import Tensor

from obsvae.errors import UsageError


def require_conditions(number: int, c: Tensor | None) -> None:
    """Refuse conditions of another size than is needed, or none where there are some: they are never left out.

    Args:
        number: C, how many numbers are needed; 0: none.
        c: conditions ``(N, C)``, or None.

    Raises:
        UsageError: saying what is needed.
    """
    if c is None and number:
        raise UsageError(
            f"conditions are needed, c of shape (N, {number}), but got none; pass c, such as data.given['test']"
        )
    if c is not None and (not number or c.ndim < 1 or c.shape[-1] != number):
        needed = f"conditions of shape (N, {number}) are needed" if number else "no conditions are needed"
        raise UsageError(f"{needed}, but got c of shape {tuple(c.shape)}; pass those that the pair was made for")
