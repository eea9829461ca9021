"""The levels of a column, and which of them each row has."""

from collections import Counter

import numpy as np

from obsvae.data.tables.numerals import as_number
from obsvae.data.tables.parsed import Parsed


def levels_of(column: Parsed) -> tuple[str, ...]:
    """Return the distinct texts of a column in order: numbers by size, and others as texts.

    A number that is written in several ways is one level, written as it first appears.
    """
    texts = column.texts[0]
    numbers = [as_number(text) for text in texts]
    by_number: dict[float, str] = {}
    for text, number in zip(texts, numbers, strict=True):
        if number is None:
            return tuple(sorted(texts))
        by_number.setdefault(number, text)
    return tuple(by_number[number] for number in sorted(by_number))


def codes_of(column: Parsed, levels: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of each value among levels, ``(N,)``, and whether it is no level, ``(N,)``.

    A text that is no level itself is the one that is the same number, such as "1.0" for "1". The number of a missing
    value, and of what is no level, is −1.
    """
    code = {level: i for i, level in enumerate(levels)}
    numbers = [as_number(level) for level in levels]
    times = Counter(numbers)
    by_number = {n: i for i, n in enumerate(numbers) if n is not None and times[n] == 1}
    texts, places = column.texts
    of_text = [code.get(text, -2) for text in texts]
    of_text = [
        by_number.get(n, -2) if found == -2 and (n := as_number(text)) is not None else found
        for text, found in zip(texts, of_text, strict=True)
    ]
    codes = np.array([*of_text, -1], dtype=np.int64)[places]  # the last is that of a missing value
    return np.maximum(codes, -1), codes == -2
