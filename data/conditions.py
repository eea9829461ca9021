"""Conditions: what is known of a datum beside x, and given to the model, not predicted by it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from numbers import Real
from typing import Any, Self

import numpy as np

from obsvae.data.checks import LARGEST
from obsvae.data.tables.numerals import as_number
from obsvae.errors import UsageError
from obsvae.names import listed, lookup

# Positive numbers whose skewness in training rows exceeds this are seen by their logarithm.
_SKEWED = 1.0


@dataclass(frozen=True, eq=False)
class ConditionValues:
    """The values of a condition in all rows, before they are encoded.

    Args:
        name: of the condition.
        values: (N,), none missing: numbers, or the codes 0, 1, … of levels.
        levels: the texts of its levels; None for numbers.
        is_offset: whether it is an exposure, such as a length of time or a library size.

    """

    name: str
    values: np.ndarray
    levels: tuple[str, ...] | None = None
    is_offset: bool = False


@dataclass(frozen=True)
class Condition:
    """A condition, and how networks see it: one number for each level, 1 for the own and 0 else, or a standardised one.

    An offset is the logarithm of an exposure, less its mean over training rows.

    Args:
        name: of its column, or "label".
        levels: the texts of its levels, those that training rows have; None for numbers.
        is_log: whether a number is seen by its logarithm.
        mean: of numbers, or of their logarithms, in training rows.
        spread: their standard deviation; 1 where they do not differ, and for an offset.
        is_offset: whether it is added to the logarithm of what is expected.

    """

    name: str
    levels: tuple[str, ...] | None = None
    is_log: bool = False
    mean: float = 0.0
    spread: float = 1.0
    is_offset: bool = False

    @property
    def width(self) -> int:
        """How many numbers networks see."""
        return 1 if self.levels is None else len(self.levels)

    @classmethod
    def of(cls, given: ConditionValues, train: np.ndarray) -> Self:
        """Return the condition as training rows, by number, tell how to encode it.

        Raises UsageError for numbers too large to standardise.
        """
        values = given.values[train]
        if given.levels is None and (largest := float(np.abs(given.values).max(initial=0.0))) > LARGEST:
            raise UsageError(
                f"condition {given.name!r} needs numbers of at most {LARGEST:g} in size, but has {largest:g}: change "
                "its unit"
            )
        if given.levels is not None:
            there = set(values.tolist())
            return cls(given.name, tuple(level for i, level in enumerate(given.levels) if i in there))
        if given.is_offset:
            with np.errstate(divide="ignore", invalid="ignore"):  # of rows that `encode` refuses
                return cls(given.name, None, True, float(np.log(values).mean()), 1.0, True)
        # Rows that come later have no logarithm where these might have been 0, so that all rows are asked.
        is_log = bool((given.values > 0).all()) and _skewness(values) > _SKEWED
        seen = np.log(values) if is_log else values
        if seen.min() == seen.max():
            return cls(given.name, None, is_log, float(seen[0]), 1.0)
        return cls(given.name, None, is_log, float(seen.mean()), float(seen.std()))

    def encode(self, given: ConditionValues, source: str) -> np.ndarray:
        """Return what networks see, (N, width) in float32.

        Args:
            given: values of this condition, none of them missing.
            source: what to call where they come from, in messages.

        Raises UsageError for a level that no training row has, and for a number without the logarithm that it is seen
        by.
        """
        where, values = f"{source}, condition {self.name!r}", given.values
        if self.levels is not None:
            texts = given.levels or ()
            place = {level: i for i, level in enumerate(self.levels)}
            codes = np.array([place.get(text, -1) for text in texts], dtype=np.int64)[values.astype(np.int64)]
            wrong = codes < 0
            if wrong.any():
                row = int(wrong.argmax())
                raise UsageError(
                    f"{where}: needs a level that training rows have, {listed(self.levels)}; row {row} (counted from "
                    f"0) has {texts[int(values[row])]!r}, of which nothing was learned: leave the row out"
                )
            return (codes[:, None] == np.arange(len(self.levels))).astype(np.float32)
        if self.is_log and (values <= 0).any():
            row = int((values <= 0).argmax())
            why = "an exposure is positive" if self.is_offset else "as those of training rows are"
            raise UsageError(
                f"{where}: needs positive numbers, {why}; row {row} (counted from 0) has {values[row]:g}: correct it, "
                "or leave the row out"
            )
        seen = np.log(values) if self.is_log else values
        return ((seen - self.mean) / self.spread).astype(np.float32)[:, None]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values, which :meth:`from_json` reads."""
        return {**asdict(self), "levels": None if self.levels is None else list(self.levels)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the condition that :meth:`to_json` wrote."""
        levels = content["levels"]
        return cls(**{**content, "levels": None if levels is None else tuple(levels)})


def encoded(conditions: Sequence[Condition], given: Mapping[str, ConditionValues], source: str) -> np.ndarray:
    """Return conditions as networks see them, side by side: c (N, C) in float32."""
    return np.concatenate([one.encode(given[one.name], source) for one in conditions], axis=1)


def constant(conditions: Sequence[Condition], values: Mapping[str, object], n: int) -> dict[str, ConditionValues]:
    """Return the same values of conditions for n rows, by name.

    Args:
        conditions: that there are.
        values: of some of them: the text of a level, or a number, which may be written as a text.
        n: how many rows.

    Raises UsageError for another name, a level that training rows have not, and what is no number.
    """
    known = {one.name: one for one in conditions}
    found = {}
    if values and not known:
        raise UsageError(f"the model has no conditions, but got a value of {next(iter(values))!r}; leave it out")
    for name, value in values.items():
        one = lookup("condition", name, known)
        where = f"condition {name!r}"
        if one.levels is not None:
            # A number stands for the level that is written without a point.
            is_whole = isinstance(value, Real) and float(value).is_integer()
            text = f"{float(value):.0f}" if is_whole and isinstance(value, Real) else str(value)
            if text not in one.levels:
                raise UsageError(f"{where} needs a level that training rows have, {listed(one.levels)}; got {text!r}")
            found[name] = ConditionValues(name, np.full(n, one.levels.index(text)), one.levels)
            continue
        number = as_number(str(value))
        if number is None or not np.isfinite(number) or (one.is_log and number <= 0):
            positive = "positive " if one.is_log else ""
            raise UsageError(f"{where} needs a {positive}number; got {str(value)!r}")
        found[name] = ConditionValues(name, np.full(n, number), None, one.is_offset)
    return found


def _skewness(values: np.ndarray) -> float:
    away = values - values.mean()
    spread = away.std()
    return float((away**3).mean() / spread**3) if spread > 0 else 0.0
