"""Numbers that may stand for missing values."""

import numpy as np

from obsvae.data.inspection.tally import Tally

_NINES = {-9, -99, -999, -9999, -99999, 99, 999, 9999, 99999, 999999}
_ENDS = {-128, -32768, 32767, 65535, -(2**31)}  # of whole numbers of 8, 16 and 32 bits
SENTINELS = frozenset({-1, -999.25, 1e20, -1e20, *_NINES, *_ENDS})
FAR = 0.5  # of the range of the others, between them and a sentinel
REPEATED = 2  # rows, of a number below 0 where all others are above


def sentinels(numbers: Tally) -> list[tuple[float, int]]:
    """Return the numbers at the ends that may stand for missing values, and how many rows have each."""
    values, counts = numbers
    found: list[tuple[float, int]] = []
    first, last = 0, len(values) - 1
    while last - first >= 2:
        low, high = values[first : first + 2], values[last - 1 : last + 1]
        if float(low[0]) in SENTINELS and _is_odd_low(low, float(values[last]), int(counts[first])):
            found.append((float(low[0]), int(counts[first])))
            first += 1
        elif float(high[1]) in SENTINELS and high[1] - high[0] > FAR * (high[0] - values[first]):
            found.append((float(high[1]), int(counts[last])))
            last -= 1
        else:
            break
    return found


def _is_odd_low(low: np.ndarray, high: float, times: int) -> bool:
    far = low[1] - low[0] > FAR * (high - low[1])
    # Of −1, 0 and 1 none is odd.
    is_ternary = (low[0], low[1], high) == (-1, 0, 1)
    return bool(not is_ternary and (far or (low[0] < 0 <= low[1] and times >= REPEATED)))
