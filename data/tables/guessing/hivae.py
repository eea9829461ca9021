"""The types of columns that HI-VAE's tables declare."""

from obsvae.data.columns import Kind
from obsvae.data.tables.guessing.rules import Choice, for_levels
from obsvae.data.tables.parsed import Parsed
from obsvae.data.tables.raw import HiVaeType


def declared_levels(declared: HiVaeType, column: Parsed) -> tuple[str, ...] | None:
    """Return the levels 1 … C of a declared type, or 0 … C − 1 where there is a 0; None of numbers."""
    if declared.nclass is None:
        return None
    start = 0 if (column.numbers == 0).any() else 1
    return tuple(str(level) for level in range(start, start + declared.nclass))


def declared_choice(declared: HiVaeType, column: Parsed, levels: tuple[str, ...] | None) -> Choice:
    """Return the family of a declared type.

    Args:
        declared: the type.
        column: its values.
        levels: as `declared_levels` returns them.

    """
    reason = f"declared as {declared.type}"
    if levels is not None:
        return Choice(Kind.ORDINAL, "ordinal", reason) if declared.type == "ordinal" else for_levels(levels, reason)
    if declared.type == "pos":
        zeros = bool((column.numbers == 0).any())
        return Choice(Kind.POSITIVE, "zero-inflated:inner=log-normal" if zeros else "log-normal", reason)
    if declared.type == "count":
        return Choice(Kind.COUNT, "negative-binomial", reason)
    return Choice(Kind.REAL, "normal", reason)
