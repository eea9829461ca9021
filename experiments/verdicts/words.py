"""Differences and lists in words."""

import math
from collections.abc import Sequence

from obsvae.inference import Difference

# Decimals of a number that is written with its standard error, and names that are listed of many.
_DECIMALS, _NAMED = 4, 5


def measured(difference: Difference, sign: int = 1) -> str:
    """Return a difference with its standard error, such as ``0.31 ± 0.04``, as precise as that error allows.

    Args:
        difference: in nats.
        sign: 1, or -1 for the difference the other way round.
    """
    mean, decimals = sign * difference.mean, _decimals(difference)
    if decimals is None or not math.isfinite(mean):
        return number(mean)
    return f"{_fixed(mean, decimals)} ± {_fixed(difference.standard_error, decimals)}"


def _fixed(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def _decimals(difference: Difference) -> int | None:
    """Return how many decimals the standard error allows; None where there is no such error."""
    error = difference.standard_error
    if not (math.isfinite(error) and error > 0):
        return None
    # An error that begins with 1 needs a figure more: 0.1 may be 0.06 or 0.14.
    leading = math.floor(math.log10(error))
    return min(max(0, -leading + (error < 2 * 10**leading)), _DECIMALS)


def number(value: float) -> str:
    """Return a number with three figures, without an exponent where it is not enormous."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞" if value > 0 else "−∞"
    rounded = float(f"{value:.3g}") + 0.0  # no minus before a zero
    text = f"{rounded:.3g}" if abs(rounded) < 1000 else f"{value:.0f}"
    return text.replace("-", "−")


def worth(difference: Difference, unit: str, sign: int = 1) -> str:
    """Return a difference in nats, with bits in brackets: ``0.31 ± 0.04 nats a row (0.45 bits)``.

    Args:
        difference: in nats.
        unit: ``a row`` or ``a datum``.
        sign: as in :func:`measured`.
    """
    bits, decimals = sign * difference.mean / math.log(2), _decimals(difference)
    told = number(bits) if decimals is None else _fixed(bits, decimals)
    return f"{measured(difference, sign)} nats {unit} ({told} {'bit' if told == '1' else 'bits'})"


def listed(names: Sequence[str], most: int = _NAMED) -> str:
    """Return names in words: ``a, b and c``; of many the first, and how many more there are."""
    if len(names) > most + 1:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def counted(n: int, one: str) -> str:
    """Return a number with its noun: ``1 seed``, ``3 seeds``."""
    return f"{n} {one if n == 1 else f'{one}s'}"


def capital(sentence: str) -> str:
    """Return a sentence with a capital letter."""
    return sentence[:1].upper() + sentence[1:]
