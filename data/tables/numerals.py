"""Which texts are numbers: plain decimal notation in ASCII, and nothing that some program or other takes for one."""

import math
import re

import numpy as np

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# Of texts of these alone, Python's float takes the same as _DECIMAL.
_CHARACTERS = b"0123456789+-.eE \t"


def as_number(text: str) -> float | None:
    """Return the number that a text is, such as "12", "-3.5" or "1e-3", or None; one beyond float64 is none.

    Blanks around it are allowed. Digit groups ("1,000", "1_000"), decimal commas, units, other bases, digits of other
    scripts, and words such as "nan" and "inf" are none.
    """
    stripped = text.strip()
    if _DECIMAL.fullmatch(stripped) is None:
        return None
    number = float(stripped)
    return number if math.isfinite(number) else None


def as_numbers(texts: list[str]) -> np.ndarray:
    """Return the numbers that texts are, as `as_number` reads each: ``(N,)`` in float64, NaN where one is none."""
    together = "".join(texts)
    if together.isascii() and not together.encode().translate(None, _CHARACTERS):
        try:
            numbers = np.array([float(text) for text in texts], dtype=np.float64)
        except ValueError:  # one of them is none, such as "1-2": each is looked at below
            numbers = np.array([math.inf])
        if np.isfinite(numbers).all():
            return numbers
    known = {text: as_number(text) for text in set(texts)}
    return np.array([known[text] for text in texts], dtype=np.float64)  # None becomes NaN
