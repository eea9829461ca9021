"""The lattice that numbers lie on."""

import numpy as np

from obsvae.data.inspection.tally import Tally

DECIMALS = 6  # more make a grid that no data tell from none
OFF = 1e-3  # of a step: rounding errors are less
MUCH_OFF = 2e-2  # of a step: beyond those of float32, and still no chance where there are many numbers
MANY = 50
ROOM = 20  # places of a lattice for each number on it, at most, where its step is no decimal
COARSER = (5, 10, 50, 100, 500, 1000)  # times a step: what people round to
HEAPS = 3  # places of a coarser lattice, at least, beside the most frequent one
ERRORS = 5.0  # standard errors beyond which a difference is no chance
LEAST_SHARE = 0.03  # of all numbers that are heaped, at least


def lattice_of(values: np.ndarray) -> tuple[float, float] | None:
    """Return the phase and the step of the coarsest lattice that distinct, sorted numbers lie on; None for none.

    The phase is from 0 to below the step, and 0 where all values are multiples of the step. Numbers that were rounded
    to float32 or added up are taken for the decimals that they come from.
    """
    if len(values) < 2:
        return None
    largest, few = max(-float(values[0]), float(values[-1])), values[:: len(values) // MANY + 1]
    for decimals in range(DECIMALS + 1):
        size = largest * 10**decimals
        if size > 2**53:
            return None
        # Rounding errors beyond these could make any numbers decimals.
        noise = min(OFF if len(values) < MANY else MUCH_OFF, 1e-6 + 1e-7 * size)
        if all(_off(part, decimals) <= noise for part in (few, values)):  # a few tell of most numbers already
            numbers = np.rint(values * 10.0**decimals).astype(np.int64)
            step = int(np.gcd.reduce(numbers[1:] - numbers[0]))
            if step == 0:  # values closer than this many decimals tell
                continue
            unit = 10**decimals
            return int(numbers[0]) % step / unit, step / unit
    return None


def _off(values: np.ndarray, decimals: int) -> float:
    """Return how far values are from numbers with this many decimals, at most, in units of the last one."""
    scaled = values * 10.0**decimals
    return float(np.abs(scaled - np.rint(scaled)).max())


def heaping(numbers: Tally, step: float, phase: float) -> tuple[float, float] | None:
    """Return the coarser lattice on which many more numbers lie than beside it, and their share; None for none.

    People round ages to tens, prices to hundreds. On each lattice of 5, 10, … steps, with 0 on it, the numbers are held
    against those one and two steps away. What 0, the ends and the most frequent number add is left out, so that a
    single spike makes no heap.

    Args:
        numbers: on a lattice.
        step: of that lattice.
        phase: a value of it.

    Returns:
        The step of the coarser lattice, and the share of all numbers that lie on it.
    """
    values, counts = numbers
    offset = round(phase / step)
    if abs(offset * step - phase) > OFF * step:  # 0 is no value of the lattice, which therefore has no tens
        return None
    places = np.rint((values - phase) / step).astype(np.int64) + offset
    inner, inner_counts = places[1:-1], counts[1:-1] * (places[1:-1] != 0)
    found = None
    for times in COARSER:
        on = inner_counts[inner % times == 0]
        if np.count_nonzero(on) <= HEAPS:
            break
        heaped = int(on.sum() - on.max())
        beside = float(np.mean([inner_counts[(inner - away) % times == 0].sum() for away in (-2, -1, 1, 2)]))
        by_chance = ERRORS * (heaped + beside) ** 0.5
        if heaped > 2 * beside and heaped - beside > max(by_chance, LEAST_SHARE * numbers.total):
            found = times * step, float(counts[places % times == 0].sum()) / numbers.total
    return found


def spacing_of(values: np.ndarray) -> float | None:
    """Return the step of the lattice of distinct, sorted numbers, be it no decimal such as 1/255; None for none."""
    found = lattice_of(values)
    if found is not None or len(values) < 3:
        return None if found is None else found[1]
    differences = np.diff(values)
    most = round(float((values[-1] - values[0]) / differences.min()))
    if most > ROOM * len(values):  # of numbers from a continuum the nearest are much nearer than the others
        return None
    step = float(values[-1] - values[0]) / most
    steps = differences / step
    return step if float(np.abs(steps - np.rint(steps)).max()) < MUCH_OFF else None
