"""The family that a column's values speak for, where nobody has said one."""

import re
from dataclasses import dataclass

import numpy as np

from obsvae.data.checks import EXACT
from obsvae.data.columns import Kind
from obsvae.data.tables.guessing.seen import Seen
from obsvae.data.tables.parsed import Parsed

COUNTS_UP_TO = 1000  # whole numbers without a 0 that reach further are amounts rather than counts
SMALL = 30  # median of what is still a count
FIRST = 2  # counts begin here at the latest
HEAVY = 4.0  # middle 95 % over the middle half: 2.9 for a Normal, 4.2 for a Student-t with 3 degrees of freedom
ENOUGH = 50  # values for a look at tails
PROSE = 20  # distinct texts, at least, where nearly each row has its own
DATED = 0.9  # share of the distinct texts that read as dates
NUMERIC = 0.9  # share of numbers from which on other texts are mistakes in a column of numbers

_DATE = re.compile(
    r"(\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2}))([T ]\d{1,2}:\d{2}.*)?"
    r"|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?"
)
_NAME_OF_IDENTIFIER = re.compile(r"(?i:(^|[\W_])(ids?|uuid|guid|index|idx|key|row|nr|no|number)$|^unnamed)|[a-z]I[dD]$")


@dataclass(frozen=True)
class Choice:
    """A family for a column, or that it should be left out.

    Args:
        kind: what its values are; None to leave it out.
        observation: the text of the family.
        reason: in a few words.

    """

    kind: Kind | None
    observation: str
    reason: str

    @classmethod
    def none(cls, reason: str) -> "Choice":
        """Return that the column should be left out."""
        return cls(None, "", reason)


def are_numbers(column: Parsed) -> bool:
    """Return whether a column is one of numbers, perhaps with a few texts by mistake."""
    wrong = int(np.count_nonzero(column.wrong))
    return not wrong or (len(column.distinct[0]) > 2 and column.present - wrong >= NUMERIC * column.present)


def empty(seen: Seen) -> Choice | None:
    """Return why a column carries nothing, or None where it does."""
    if not seen.present:
        return Choice.none("all values are missing")
    return Choice.none("constant") if seen.distinct == 1 else None


def for_levels(levels: tuple[str, ...], reason: str = "") -> Choice:
    """Return the family of levels without order."""
    if len(levels) == 2:
        return Choice(Kind.BINARY, "bernoulli", reason or "two distinct values")
    return Choice(Kind.CATEGORY, "categorical", reason or f"{len(levels)} distinct texts")


def for_texts(column: Parsed, seen: Seen) -> Choice | None:
    """Return why texts are no levels: dates, identifiers or prose; None where they may be levels."""
    texts = column.texts[0]
    dates = sum(_DATE.fullmatch(text) is not None for text in texts)
    if dates >= DATED * len(texts):
        return Choice.none("dates or times; encode them as numbers to model them")
    if seen.distinct == seen.present and seen.distinct > 2:
        return Choice.none("an identifier: each row has a text of its own")
    if seen.distinct > PROSE and seen.distinct > seen.present / 2:
        return Choice.none(f"codes or free text: {seen.distinct} distinct texts in {seen.present} rows")
    return None


def are_codes(column: Parsed) -> bool:
    """Return whether whole numbers are written with zeros before them, as postal codes are."""
    texts = column.texts[0] if column.is_text and column.is_whole else ()
    return any(text[0] == "0" and len(text) > 1 for text in texts)


def identifier(name: str, column: Parsed, seen: Seen) -> Choice | None:
    """Return that whole numbers tell rows apart, or are dates, or None."""
    values = column.distinct[0]
    if not column.is_whole or len(values) < 3:
        return None
    if _are_dates(values):
        return Choice.none("dates written as numbers; encode them as numbers of days to model them")
    if len(values) != seen.present:
        return None
    if values[-1] - values[0] == len(values) - 1:
        return Choice.none("an identifier: consecutive whole numbers, each once")
    if _NAME_OF_IDENTIFIER.search(name):
        return Choice.none("an identifier, by its name and its distinct whole numbers")
    return None


def for_numbers(column: Parsed, seen: Seen, bounds: tuple[float, float] | None) -> Choice:
    """Return the family of numbers.

    Args:
        column: of which at least one value is a number.
        seen: what it looks like.
        bounds: the declared (low, high), or None.

    """
    low, high = float(column.distinct[0][0]), float(column.distinct[0][-1])
    if bounds is not None:
        if bounds[0] < low and high < bounds[1]:
            return Choice(Kind.PROPORTION, "logit-normal", "strictly within its declared bounds")
        return Choice(Kind.PROPORTION, "truncated-normal", "within its declared bounds, and on them")
    if seen.distinct == 2 and seen.present > 2:
        return Choice(Kind.BINARY, "bernoulli", "two distinct values")
    if low >= 0 and column.is_whole:
        return _from_zero(column, low, high)
    if low > 0:
        return Choice(Kind.POSITIVE, "log-normal", "real numbers above 0")
    if low == 0:
        return Choice(Kind.POSITIVE, "zero-inflated:inner=log-normal", "real numbers above 0, and zeros")
    what = "whole numbers" if column.is_whole else "real numbers"
    if _has_heavy_tails(column, seen):
        return Choice(Kind.REAL, "student-t", f"{what} of both signs, with heavy tails")
    return Choice(Kind.REAL, "normal", f"{what}, some below 0")


def _are_dates(values: np.ndarray) -> bool:
    """Return whether whole numbers are dates such as 20240131."""
    year, month, day = values // 10_000, values // 100 % 100, values % 100
    inside = (year >= 1800) & (year <= 2200) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    return bool(inside.all())


def _from_zero(column: Parsed, low: float, high: float) -> Choice:
    if high > EXACT:
        why = "too large for float32 to tell from their neighbours: a density, no masses"
        family = "log-normal" if low > 0 else "zero-inflated:inner=log-normal"
        return Choice(Kind.POSITIVE, family, f"whole numbers from {low:g} to {high:.3g}, {why}")
    if low == 0:
        return Choice(Kind.COUNT, "negative-binomial", "whole numbers from 0")
    mean, variance = column.distinct.mean, column.distinct.moment(2)
    # Given z a count varies at least by its mean, so that over all rows it does, too; that of N rows is uncertain.
    spread = variance >= mean * (1 - 2 * (2 / column.present) ** 0.5)
    if spread and low <= FIRST and high <= COUNTS_UP_TO and column.distinct.quantile(0.5) <= SMALL:
        return Choice(Kind.COUNT, "negative-binomial", f"small whole numbers from {low:g}")
    why = "larger than counts are" if spread else "variance below the mean, so no counts"
    return Choice(Kind.POSITIVE, "log-normal", f"whole numbers above 0, {why}")


def _has_heavy_tails(column: Parsed, seen: Seen) -> bool:
    if seen.present < ENOUGH:
        return False
    half = column.distinct.quantile(0.75) - column.distinct.quantile(0.25)
    return half > 0 and column.distinct.quantile(0.975) - column.distinct.quantile(0.025) > HEAVY * half
