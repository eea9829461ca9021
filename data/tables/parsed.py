"""The values of a column, with those that are missing set apart."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

import numpy as np

from obsvae.data.inspection.tally import Tally, tally_of
from obsvae.data.tables.numerals import as_number, as_numbers
from obsvae.data.tables.raw import RawColumn


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
    def distinct(self) -> Tally:
        """The distinct numbers, ascending, and how often each is there."""
        return tally_of(self.numbers)

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
    distinct = list(dict.fromkeys(values))
    stripped = ["" if value is None else value.strip() for value in distinct]
    missing = np.array([text in markers for text in stripped], dtype=bool)
    numbers = np.full(len(stripped), np.nan)
    numbers[~missing] = as_numbers(_where(stripped, ~missing))
    if absent:
        missing |= np.isin(numbers, list(absent))
        numbers[missing] = np.nan
    written = "".join(_where(stripped, ~np.isnan(numbers)))
    is_whole = not any(character in written for character in ".eE")
    shown = _where(stripped, ~missing)
    order = {text: i for i, text in enumerate(dict.fromkeys(shown))}
    places = np.full(len(stripped), -1)
    places[~missing] = [order[text] for text in shown]
    if len(distinct) < len(values):
        at = {value: i for i, value in enumerate(distinct)}
        rows = np.fromiter(map(at.__getitem__, values), dtype=np.int64, count=len(values))
        missing, numbers, places = missing[rows], numbers[rows], places[rows]
    return Parsed(missing, numbers, True, is_whole, (tuple(order), places))


def _where(texts: list[str], chosen: np.ndarray) -> list[str]:
    return list(compress(texts, chosen.tolist()))
