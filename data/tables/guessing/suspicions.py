"""What looks wrong in a table, or might be meant otherwise than it is taken."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from obsvae.data.columns import Kind
from obsvae.data.inspection.rules import same_columns, sentinel_signs, signs_in, variable_of
from obsvae.data.inspection.suspicion import Sign
from obsvae.data.tables.guessing.guesses import Guess
from obsvae.data.tables.guessing.seen import Seen
from obsvae.data.tables.parsed import Parsed

FEW = 12  # distinct whole numbers that may be levels
MANY = 50  # levels that are many
MOSTLY, LARGE = 0.5, 100  # share of zeros, and median of the others, of what is no count
PERCENT = (0.0, 100.0)
TURN, NEAR_END = 360.0, 18.0  # degrees; and as near to both ends as angles all round come
SAMPLED = 200  # texts that are looked at, to see how numbers are written
_OTHERWISE = {
    re.compile(r"[-+]?\d+(\.\d+)?\s*%"): "percentages: write them without the sign, 50 for 50%",
    re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?"): "numbers with separators of thousands: write 1000 for 1,000",
    re.compile(r"[-+]?\d+,\d+"): "numbers with decimal commas: write 1.5 for 1,5",
    re.compile(r"[-+]?[£$€¥]\s*\d+(\.\d+)?|[-+]?\d+(\.\d+)?\s*[£$€¥]"): "amounts of money: write them without the sign",
    re.compile(r"[-+]?inf(inity)?", re.IGNORECASE): "infinite: no family takes them",
}
_ABSENT = frozenset({"none", "-", "--", ".", "unknown", "missing", "n.a.", "na", "nil", "not available", "undefined"})


def signs(guesses: Sequence[Guess]) -> list[Sign]:
    """Return what looks wrong in a table, column by column."""
    return [*(sign for guess in guesses for sign in _of_column(guess)), *_duplicates(guesses)]


def _of_column(guess: Guess) -> Iterator[Sign]:
    if guess.schema.role in ("label", "split") or (guess.column is None and guess.is_declared):
        return
    for text in _of_texts(guess):
        yield Sign(text, guess.name, text)
    if guess.column is None or guess.column.levels is not None:
        yield from sentinel_signs(guess.name, guess.values.distinct, is_column=True)
    else:
        yield from signs_in(variable_of(guess.column, guess.values.distinct))


def _of_texts(guess: Guess) -> Iterator[str]:
    if guess.values.wrong.any() and guess.column is not None and guess.column.levels is None:
        yield _texts_among_numbers(guess)
    written = _numbers_written_otherwise(guess)
    if written:
        yield written
    if guess.column is None:
        return
    if guess.column.levels is not None:
        yield from _of_levels(guess)
    elif guess.seen.low is not None:
        yield from _of_numbers(guess, guess.seen)


def _numbers_written_otherwise(guess: Guess) -> str:
    """Return how numbers are written, where that is not how they are read; empty where it is."""
    if guess.column is not None and guess.column.levels is None:
        return ""
    texts = [text.strip() for text in guess.values.texts[0][:SAMPLED]]
    for pattern, text in _OTHERWISE.items():
        if texts and all(pattern.fullmatch(one) for one in texts):
            return f"{texts[0]!r} and the others are {text}"
    return ""


def _of_levels(guess: Guess) -> Iterator[str]:
    assert guess.column is not None
    levels = guess.column.levels or ()
    absent = [level for level in levels if level.lower() in _ABSENT]
    if absent:
        yield f"{absent[0]!r} is taken for a level: where it stands for a missing value, add it to missing"
    alike = Counter(level.lower() for level in levels)
    twice = [level for level in levels if alike[level.lower()] > 1]
    if twice:
        yield f"{twice[0]!r} and {twice[1]!r} are two levels that differ in capitals alone"
    if len(levels) > MANY and not guess.is_declared:
        yield f'{len(levels)} levels, some of them rare: role = "ignore" leaves them out'


def _of_numbers(guess: Guess, seen: Seen) -> Iterator[str]:
    column, values = guess.column, guess.values
    assert column is not None
    assert seen.low is not None
    assert seen.high is not None
    if not guess.is_declared:
        few = values.is_whole and seen.distinct <= FEW and seen.present > 3 * FEW
        if few and column.kind is not Kind.ORDINAL and not _is_usual_count(guess, seen):
            yield f'{seen.distinct} distinct whole numbers: are they levels? observation = "ordinal" or "categorical"'
        if not values.is_whole and column.bounds is None and seen.low >= 0 and 0.5 < seen.high <= 1:
            yield "all within 0 and 1: where they are shares, declare bounds = [0, 1]"
        if column.bounds is None and (seen.low, seen.high) == PERCENT:
            yield "from 0 to 100: where they are percentages, declare bounds = [0, 100]"
        if column.bounds is None and _cover_a_turn(seen):
            yield 'from 0 to 360: where they are angles, declare observation = "von-mises" and bounds = [0, 360]'
        if column.kind is Kind.COUNT:
            yield from _of_counts(guess, seen)


def _cover_a_turn(seen: Seen) -> bool:
    """Return whether numbers may be angles in degrees: many of them, within a turn and all round it."""
    assert seen.low is not None
    assert seen.high is not None
    return seen.distinct > FEW and 0 <= seen.low < NEAR_END < TURN - NEAR_END < seen.high <= TURN


def _is_usual_count(guess: Guess, seen: Seen) -> bool:
    """Return whether few whole numbers are those of rare events: from 0, and spread as Poisson's."""
    mean, variance = guess.values.distinct.mean, guess.values.distinct.moment(2)
    return guess.column is not None and guess.column.kind is Kind.COUNT and seen.low == 0 and variance >= mean / 2


def _of_counts(guess: Guess, seen: Seen) -> Iterator[str]:
    mean, variance = guess.values.distinct.mean, guess.values.distinct.moment(2)
    if variance < mean / 2 and seen.distinct > FEW:
        yield (
            "variance far below the mean, which that of no Poisson or negative binomial is: observation = "
            '"ordinal", or "normal" on its grid'
        )
    share = seen.zeros / seen.present
    if share > MOSTLY and guess.values.distinct.quantile((1 + share) / 2) > LARGE:
        yield (
            f"{100 * share:.0f} % are 0, and the others are large: are they amounts? observation = "
            '"zero-inflated:inner=log-normal"'
        )


def _texts_among_numbers(guess: Guess) -> str:
    rows = np.flatnonzero(guess.values.wrong)
    texts, codes = guess.values.texts
    told = ", ".join(f"{texts[codes[row]]!r} in row {row}" for row in rows[:3].tolist())
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    return f"no numbers: {told}{more} (counted from 0): correct them, or add them to missing"


def _duplicates(guesses: Sequence[Guess]) -> Iterator[Sign]:
    """Return the columns that say the same in every row as one before them."""
    contents = (
        (guess.name, guess.values.numbers.tobytes() if not guess.values.wrong.any() else _content(guess.values))
        for guess in guesses
        if guess.column is not None
    )
    return same_columns(contents, 'role = "ignore" leaves one of them out')


def _content(values: Parsed) -> bytes:
    texts, codes = values.texts
    return repr(texts).encode() + codes.tobytes()
