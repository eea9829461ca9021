"""The values of a column, with those that are missing set apart."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from obsvae.data.tables.raw import RawColumn, as_number

_FRACTION = re.compile(r"[.eE]")


@dataclass(frozen=True, eq=False)
class Parsed:
    """The values of a column as numbers and as texts.

    Args:
        missing: whether each is missing, ``(N,)``.
        numbers: ``(N,)`` in float64, NaN where a value is missing or no number.
        is_text: whether the source holds texts.
        is_whole: whether all numbers are written without a decimal point or an exponent.
        given: the distinct texts of a source of texts, in the order in which they appear, and their numbers ``(N,)``
            in it, −1 for a missing value; None for a source of numbers.

    """

    missing: np.ndarray
    numbers: np.ndarray
    is_text: bool
    is_whole: bool
    given: tuple[tuple[str, ...], np.ndarray] | None = None

    @property
    def present(self) -> int:
        """The number of values that are not missing."""
        return len(self.missing) - int(np.count_nonzero(self.missing))

    @cached_property
    def wrong(self) -> np.ndarray:
        """Whether each value is there and no finite number, ``(N,)``."""
        return np.isnan(self.numbers) & ~self.missing

    @cached_property
    def distinct(self) -> tuple[np.ndarray, np.ndarray]:
        """The distinct numbers, ascending, and how often each is there."""
        return np.unique(self.numbers[~np.isnan(self.numbers)], return_counts=True)

    @cached_property
    def texts(self) -> tuple[tuple[str, ...], np.ndarray]:
        """The distinct values as texts, and the number of each value in them, ``(N,)``, −1 for a missing one."""
        if self.given is not None:
            return self.given
        values = self.distinct[0]
        codes = np.searchsorted(values, self.numbers)
        return tuple(map(number_text, values.tolist())), np.where(np.isnan(self.numbers), -1, codes)


def parse(column: RawColumn, markers: Collection[str]) -> Parsed:
    """Return the values of a column.

    Args:
        column: as its source holds it.
        markers: the texts that stand for a missing value; that of a number stands for the number however it is written.

    """
    marking = frozenset({"", *markers})
    absent = frozenset(number for marker in marking if (number := as_number(marker)) is not None)
    if column.is_text:
        return _parse_texts(column.values.tolist(), marking, absent)
    values = column.values
    missing = np.isnan(values)
    if absent:
        missing |= np.isin(values, list(absent))
    numbers = np.where(missing | ~np.isfinite(values), np.nan, values)
    return Parsed(missing, numbers, False, column.is_whole)


def number_text(number: float) -> str:
    """Return a number as a text, a whole one without a decimal point."""
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)


def _parse_texts(values: list[str | None], markers: frozenset[str], absent: frozenset[float]) -> Parsed:
    # Tables repeat their texts: each is looked at once, and rows then look up its number.
    codes: dict[str | None, int] = {}
    numbers: list[float] = []
    order: dict[str, int] = {}
    is_whole = True
    places: list[int] = []
    for value in dict.fromkeys(values):
        text = "" if value is None else value.strip()
        number = None if text in markers else as_number(text)
        is_missing = text in markers or number in absent
        codes[value] = len(numbers)
        numbers.append(np.nan if is_missing or number is None else number)
        places.append(-1 if is_missing else order.setdefault(text, len(order)))
        is_whole &= is_missing or number is None or not _FRACTION.search(text)
    of = np.fromiter(map(codes.__getitem__, values), dtype=np.int64, count=len(values))
    place = np.array(places, dtype=np.int64)[of]
    return Parsed(place < 0, np.array(numbers)[of], True, is_whole, (tuple(order), place))
