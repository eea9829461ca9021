"""What values look like, in words."""

import math

from obsvae.data import Look
from obsvae.experiments.verdicts.words import counted, number

# Shares of values at one place that are told.
_SHARE = 0.005


def in_words(look: Look) -> str:
    """Return in a line what values look like."""
    parts = [f"{look.present} values" if look.features == 1 else f"{look.present} values of {look.features} features"]
    if look.missing:
        parts.append(f"{look.missing} missing")
    if look.levels is not None:
        parts.append(f"{counted(look.levels, 'level')}")
        return ", ".join(parts)
    kind = "whole numbers " if look.is_whole else ""
    parts.append(f"{kind}from {number(look.low)} to {number(look.high)}, {look.distinct} distinct")
    parts += [f"{share:.1%} at {where}" for where, share in _places(look) if share >= _SHARE]
    parts.append(f"mean {number(look.mean)}, variance {number(look.variance)}, skew {number(look.skew)}")
    if look.dispersion is not None:
        parts.append(f"variance over mean {number(look.dispersion)}")
    parts.append(f"tails {'beyond measure' if math.isinf(look.tail) else number(look.tail)} (a Normal's: 2.9)")
    if look.heaped is not None:
        parts.append(f"{look.heaped[1]:.0%} on whole multiples of {number(look.heaped[0])}")
    if look.period is not None:
        parts.append(f"circular with period {number(look.period)}")
    return ", ".join(parts)


def _places(look: Look) -> list[tuple[str, float]]:
    places = {0.0: look.share_zero, 1.0: look.share_one}
    places |= {look.low: look.share_low, look.high: look.share_high}
    return [(number(at), share) for at, share in sorted(places.items())]
