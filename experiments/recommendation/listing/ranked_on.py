"""The grid by whose cells a variable is ranked, so that no density wins by peaking on values that repeat."""

import math

import numpy as np

from obsvae.data import Grid
from obsvae.data.inspection.look import Look

# A step of a twentieth of the distance between the quartiles. A Normal whose σ is left with a tenth of the spread then
# has cells of two thirds of its σ, where log density · step and log mass differ by step² / 24 σ² = 0.02 nats; below it
# by less, and a lattice that is finer than this says nothing.
_COARSE = 1 / 20
# Share of the values at 0 from which on it is a value of its own among real numbers.
SPIKE = 0.01
# Values for each distinct one from which on ties are no accident.
_TIED = 10
# Steps that float32 has to hold between neighbours at the largest value.
_HELD = 16
# Times that 0 is there for each time of the most frequent other value, from which on it is a value of its own.
_OFTEN = 3
_NEAR = 1e-6  # of a step
# Last levels of images, of which divided ones go from end to end; distinct values that tell of them, and the rounding
# errors of float32 in steps.
_LEVELS, _SEEN, _OFF = (15, 16, 31, 63, 127, 255), 10, 1e-3


def ranked_on(
    look: Look, values: np.ndarray, bounds: tuple[float, float] | None, *, has_ends: bool = False
) -> Grid | None:
    """Return the lattice by whose masses a variable is ranked that declares none; None where densities will do.

    It is ranked by masses where it is whole, where the step is coarse against the spread or values are tied, so that a
    density could win by peaking on them, and where values at 0 want a mass beside a density.

    Args:
        look: at it.
        values: those that are present, ``(n,)``.
        bounds: its ends, if it has any; where both lie on the lattice its cells end there.
        has_ends: whether to take the least and the greatest value for ends where it has none.
    """
    if look.period is None and not look.is_whole:
        scaled = _scaled_levels(look, values)
        if scaled is not None:
            return scaled
    if look.step is None or look.phase is None:
        return None
    step, low = look.step, look.phase
    if look.is_whole and float(step).is_integer():
        step, low = 1.0, 0.0  # another row may be odd
    if step < _HELD * np.finfo(np.float32).eps * max(abs(look.low), abs(look.high)):
        return None
    # A value of its own is one of a lattice like any other, and has the mass of its cell.
    is_at_end = look.low == 0 or (bounds is not None and (look.low <= bounds[0] or look.high >= bounds[1]))
    if not (look.is_whole or is_at_end or has_spike(look, values, bounds) or is_coarse(step, look, values)):
        return None
    if look.period is not None and not _is_whole(look.period / step):
        return None
    ends = bounds or ((look.low, look.high) if has_ends else None)
    lattice = Grid(low, step, None)
    return lattice if ends is None else lattice.between(ends)


def _scaled_levels(look: Look, values: np.ndarray) -> Grid | None:
    """Return the grid of images whose 256 levels, or fewer, have been divided by their number or the like."""
    if look.distinct > max(_LEVELS) + 1:
        return None
    distinct = np.unique(values).astype(np.float64)
    for last in _LEVELS:
        step = (look.high - look.low) / last
        steps = (distinct - look.low) / step
        if len(distinct) > _SEEN and np.abs(steps - np.rint(steps)).max() < _OFF:
            return Grid(look.low, step, last + 1)
    return None


def is_coarse(step: float, look: Look, values: np.ndarray) -> bool:
    """Return whether a step is coarse against the spread of the values, or most of them are there many times."""
    first, third = np.quantile(values, [0.25, 0.75])
    if step >= _COARSE * (third - first):
        return True
    return look.present >= _TIED * look.distinct


def has_spike(look: Look, values: np.ndarray, bounds: tuple[float, float] | None) -> bool:
    """Return whether 0 is a value of its own beside numbers: far more often there than others are, or their end.

    Args:
        look: at it.
        values: those that are present, ``(n,)``.
        bounds: its ends, if it has any.
    """
    if look.levels is not None or look.period is not None or (look.is_whole and look.low >= 0 and bounds is None):
        return False
    if look.low == 0 and bounds is None and look.step is None:
        return True
    if look.share_zero < SPIKE:
        return False
    inner = values[(values != 0) & (values > look.low) & (values < look.high)]  # at ends others may be as many
    most = int(np.unique(inner, return_counts=True)[1].max()) if len(inner) else 0
    return look.share_zero * look.present >= _OFTEN * most


def _is_whole(number: float) -> bool:
    return math.isclose(number, round(number), abs_tol=_NEAR)
