"""What looks wrong in the numbers of one variable: a column of a table, or what shares a unit in an array."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from obsvae.data.columns import Column, Kind
from obsvae.data.inspection.lattice import spacing_of
from obsvae.data.inspection.sentinels import sentinels
from obsvae.data.inspection.suspicion import Sign
from obsvae.data.inspection.tally import Tally

FEW = 12  # distinct numbers, of which one may well be frequent
SPIKE = 0.1  # share of the numbers that are one number, among many others
ABOVE = 4  # times the most frequent other number
TIED = 10  # numbers for each distinct one, from which on these are no continuum
COARSE = 0.2  # of the standard deviation: a step that no continuum hides
COUNTED = 20  # rows, at least, that a running number counts


@dataclass(frozen=True)
class Variable:
    """A variable as the rules see it.

    Args:
        name: of the column or feature; empty for an array as a whole.
        numbers: that are not missing.
        is_column: whether it is a column of a table, which a schema may speak of.
        has_density: whether a density would be ranked on it, as no grid is known.
        may_spike: whether its family or its levels have a mass at any number, or it is known to have one at 0.
        is_one_a_row: whether each row has one number of it.
        is_whole_array: whether what is done to it can be done to the whole array.

    """

    name: str
    numbers: Tally
    is_column: bool
    has_density: bool
    may_spike: bool
    is_one_a_row: bool = True
    is_whole_array: bool = False


def variable_of(column: Column, numbers: Tally) -> Variable:
    """Return a column of numbers as the rules see it."""
    has_density = column.grid is None and not column.is_whole
    may_spike = column.kind is Kind.COUNT or (column.observation.startswith("zero-inflated") and _is_most(numbers, 0.0))
    return Variable(column.name, numbers, True, has_density, may_spike)


def signs_in(variable: Variable) -> Iterator[Sign]:
    """Return what looks wrong in a variable."""
    if len(variable.numbers[0]) < 2:
        return
    yield from sentinel_signs(variable.name, variable.numbers, variable.is_column, variable.is_one_a_row)
    yield from _spike(variable)
    yield from _rounded(variable)
    yield from _running_number(variable)


def sentinel_signs(name: str, numbers: Tally, is_column: bool, is_one_a_row: bool = True) -> Iterator[Sign]:
    """Return the numbers of a variable that may stand for missing values; arguments are those of :class:`Variable`."""
    for value, times in sentinels(numbers):
        number = f"{times} {'row' if is_one_a_row else 'value'}{'' if times == 1 else 's'}"
        remedy = f"add {value:g} to missing" if is_column else "make it NaN, and load with missing=True"
        text = f"{value:g} ({number}) lies far outside the rest: where it stands for a missing value, {remedy}"
        yield Sign("sentinel", name, text, times / numbers.total, f"{value:g}")


def same_columns(contents: Iterable[tuple[str, bytes]], remedy: str) -> Iterator[Sign]:
    """Return the columns that say the same in every row as one before them.

    Args:
        contents: the name and all values of each.
        remedy: what to do.
    """
    first: dict[bytes, str] = {}
    for name, content in contents:
        before = first.setdefault(content, name)
        if before != name:
            yield Sign("same columns", name, f"the same as {before!r} in every row: {remedy}")


def _spike(variable: Variable) -> Iterator[Sign]:
    values, counts = variable.numbers
    if len(values) <= FEW or variable.may_spike:
        return
    at = int(counts.argmax())
    share = counts[at] / variable.numbers.total
    if share < SPIKE or counts[at] < ABOVE * np.delete(counts, at).max():
        return
    where = {0: " (its least value)", len(values) - 1: " (its greatest value)"}.get(at, "")
    text = f"{100 * share:.0f} % are exactly {values[at]:g}{where}: "
    if values[at] == 0 and variable.has_density:
        text += "a density gives that no mass; zero-inflated:inner=… does"
    else:
        text += "were they cut off there, or filled in?"
    yield Sign("spike", variable.name, text, float(share), f"{values[at]:g}")


def _rounded(variable: Variable) -> Iterator[Sign]:
    values, _ = variable.numbers
    if not variable.has_density or len(values) < 3:
        return
    step = spacing_of(values)
    if step is None:
        return
    numbers, zeros = variable.numbers, variable.numbers.count_of(0.0)
    if variable.is_column:
        remedy = f"grid = {step:g} makes exact masses of its densities"
    elif not variable.is_whole_array:
        remedy = f"as a column of a table it may have grid = {step:g}, which makes exact masses"
    else:
        whole = "x" if step == 1 else f"x / {step:.6g}"
        remedy = f"as whole numbers, np.rint({whole}).astype(int), they have exact masses"
    if variable.is_column and step >= 1 and values[0] % step == 0:
        yield Sign("rounded", variable.name, f"all multiples of {step:g}: {remedy}", step)
    elif numbers.total - zeros >= TIED * len(values) or step > COARSE * numbers.moment(2) ** 0.5:
        text = f"the same few values again and again, {step:.6g} apart, where a density may peak without end: {remedy}"
        yield Sign("rounded", variable.name, text, step / numbers.moment(2) ** 0.5)


def _is_most(numbers: Tally, value: float) -> bool:
    return numbers.count_of(value) == numbers[1].max(initial=0)


def _running_number(variable: Variable) -> Iterator[Sign]:
    values, _ = variable.numbers
    if not variable.is_one_a_row or len(values) != variable.numbers.total or len(values) < COUNTED:
        return
    even = np.linspace(values[0], values[-1], len(values))
    if np.abs(values - even).max() < 1e-3 * (even[1] - even[0]):
        remedy = 'role = "ignore" leaves it out' if variable.is_column else "leave it out"
        yield Sign(
            "running number",
            variable.name,
            f"each value once, and all equally far apart: a running number, which only tells rows apart; {remedy}",
        )
