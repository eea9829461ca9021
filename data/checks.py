"""Requirements that every array must meet before anything is built on it."""

from collections.abc import Sequence

import numpy as np

from obsvae.data.grid import Grid
from obsvae.errors import UsageError

MINIMUM_ROWS = 10
EXACT = 2**24  # float32 holds every integer up to here
LARGEST = 1e15  # of floats; the sum of the squares of 1e8 such values is within float32
LEAST_STEPS = 64  # float32 values wanted within the spread of a column
OFF_GRID = 0.02  # of a step, beyond what float32 rounds
ROUNDING = 1e-12  # a column that varies by less, relative to its size, is a constant with rounding errors

Names = tuple[str, ...] | None


def checked(x: np.ndarray, name: str) -> np.ndarray:
    """Return x as bool, integers or float32; raise UsageError for an array that no model could be trained on.

    Args:
        x: (N, *event).
        name: the name for x in an error.

    """
    check_layout(x, name)
    return check_values(x, name)


def check_layout(x: np.ndarray, name: str) -> None:
    """Raise UsageError unless x has a real dtype, two dimensions, enough rows and a feature."""
    if x.dtype.kind not in "biuf":
        raise UsageError(f"{name}: needs an array of real numbers; got dtype {x.dtype}: {_remedy(x)}")
    if x.ndim < 2:
        raise UsageError(
            f"{name}: needs at least 2 dimensions, (rows, features); got shape {x.shape}: "
            "one feature is x.reshape(-1, 1)"
        )
    if x.shape[0] < MINIMUM_ROWS:
        raise UsageError(f"{name}: needs at least {MINIMUM_ROWS} rows; got shape {x.shape}: collect more data")
    if x.size == 0:
        raise UsageError(f"{name}: needs at least one feature; got the empty shape {x.shape}: check how it was made")


def check_values(x: np.ndarray, name: str, names: Names = None, missing: bool = False) -> np.ndarray:
    """Return x as bool, integers or float32; raise UsageError for values that float32 cannot hold or that all agree.

    Args:
        x: (N, *event).
        name: the name for x in an error.
        names: of the features of vectors.
        missing: whether NaN is a missing entry.

    """
    if x.dtype.kind == "f":
        with np.errstate(over="ignore"):  # an overflow becomes inf and is reported below
            rounded = x.astype(np.float32, copy=False)
        _check_finite(rounded, name, names, missing)
        _check_spread(rounded, name, names)
        if x.dtype.itemsize > rounded.dtype.itemsize:
            _check_resolution(x, rounded, name, names)
        x = rounded
    elif x.dtype.kind in "iu" and (x.max() > EXACT or x.min() < -EXACT):
        wrong = (x > EXACT) | (x < -EXACT)
        raise UsageError(
            f"{name}: needs integers within ±2**24, which float32 holds exactly; {wrong.sum()} lie outside, the first "
            f"is {x[wrong][0]} at {_first(wrong, names)}: subtract an offset, or convert them to floats"
        )
    if np.nanmin(x) == np.nanmax(x):
        raise UsageError(f"{name}: needs data that vary; all {x.size} values are {np.nanmin(x)}: check how it was made")
    return x


def check_bounds(x: np.ndarray, bounds: Sequence[float], name: str, names: Names = None) -> tuple[float, float]:
    """Return the bounds as two floats; raise UsageError unless low < high and all x lie between them."""
    try:
        low, high = (float(bound) for bound in bounds)
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"bounds need two numbers, (low, high); got {bounds!r}") from error
    with np.errstate(over="ignore"):
        if not -np.inf < np.float32(low) < np.float32(high) < np.inf:
            raise UsageError(f"bounds need low < high, finite and distinct in float32; got ({low}, {high})")
    # Floats are compared in float32, as they are stored: float32(0.7) is within (0, 0.7).
    outside = (x < low) | (x > high)
    if outside.any():
        raise UsageError(
            f"{name}: needs all data within the declared bounds ({low}, {high}); {outside.sum()} values lie outside, "
            f"the first is {x[outside][0]} at {_first(outside, names)}: widen the bounds or correct the data"
        )
    return low, high


def check_grid(x: np.ndarray, grid: Sequence[float], name: str, names: Names = None) -> Grid:
    """Return a grid of (low, step, levels), or (low, step); raise UsageError unless all x lie on it."""
    try:
        low, step, *rest = (float(number) for number in grid)
        (levels,) = rest or (np.inf,)
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"a grid needs numbers, (low, step, levels) or (low, step); got {grid!r}") from error
    if not (np.isfinite([low, step]).all() and (levels == np.inf or levels.is_integer())):
        raise UsageError(f"a grid needs finite numbers, and a whole number of levels; got {tuple(grid)}")
    made = Grid(low, step, None if levels == np.inf else int(levels))
    steps = (x.astype(np.float64) - low) / step
    # NaN is a missing entry, where there may be any.
    off = np.abs(steps - np.rint(steps)) > OFF_GRID + np.abs(steps) * np.finfo(np.float32).eps
    outside = (np.rint(steps) < 0) | (np.rint(steps) >= levels) if made.levels is not None else np.zeros_like(off)
    wrong = off | outside
    if wrong.any():
        ends = f", {made.levels} levels up to {made.high:g}" if made.levels is not None else ""
        raise UsageError(
            f"{name}: needs all data on the declared grid, from {low:g} in steps of {step:g}{ends}; {wrong.sum()} "
            f"values lie elsewhere, the first is {x[wrong][0]:g} at {_first(wrong, names)}: correct the grid or round "
            "the data"
        )
    return made


def _check_finite(x: np.ndarray, name: str, names: Names, missing: bool) -> None:
    absent = np.isnan(x)
    if missing and absent.all(0).any():
        which = _first(absent.all(0)[None], names).partition(", ")[2]
        raise UsageError(f"{name}: needs a value in every feature; all of {which} are missing: leave it out")
    wrong = ~np.isfinite(x) & ~(missing & absent)
    if wrong.any():
        remedy = "remove or impute them" if missing or not absent.any() else "declare missing ones (missing=True)"
        raise UsageError(
            f"{name}: needs finite values (in float32, at most 3.4e38); {wrong.sum()} are not, the first is "
            f"{x[wrong][0]} at {_first(wrong, names)}: {remedy}"
        )


def _check_spread(x: np.ndarray, name: str, names: Names) -> None:
    # Likelihoods square x in float32, where 1e19² overflows and 1e-23² is 0.
    size = np.abs(x)
    largest, spread = float(np.nanmax(size)), float(np.nanmax(x)) - float(np.nanmin(x))
    if largest > LARGEST or 0 < spread < 1 / LARGEST:
        raise UsageError(
            f"{name}: needs values of at most {LARGEST:g} in size that spread over at least {1 / LARGEST:g}, as "
            f"float32 has to hold their squares; the largest is {largest:g} at "
            f"{_first(size == largest, names)}, their spread {spread:g}: change the unit"
        )


def _check_resolution(x: np.ndarray, rounded: np.ndarray, name: str, names: Names) -> None:
    # Seconds since 1970 are 128 apart in float32: a day of them would silently be 675 different values.
    if x.ndim > 2:
        x, rounded = x.reshape(-1, 1), rounded.reshape(-1, 1)
    spread, largest = np.nanmax(x, 0) - np.nanmin(x, 0), np.nanmax(np.abs(x), 0)
    step = 2 * np.nanmax(np.abs(x - rounded), 0)
    wrong = (spread > ROUNDING * largest) & (step * LEAST_STEPS > spread)
    if wrong.any():
        i = int(wrong.argmax())
        where = f"feature {i} (counted from 0)" if names is None else f"feature {names[i]!r}"
        raise UsageError(
            f"{name}: needs values that float32 can tell apart; those of {where} vary by {spread[i]:g} at sizes up to "
            f"{largest[i]:g}, where float32 rounds to steps of {step[i]:g}: subtract an offset"
        )


def _remedy(x: np.ndarray) -> str:
    if x.dtype.kind == "c":
        return "make features of the real and of the imaginary parts"
    return "encode texts and dates as numbers; numbers that are stored as objects are x.astype(float)"


def _first(wrong: np.ndarray, names: Names) -> str:
    """Say where the first True lies, counted from 0."""
    row, *event = (int(i) for i in np.unravel_index(wrong.argmax(), wrong.shape))
    if names is not None:
        return f"datum {row} (counted from 0), feature {names[event[0]]!r}"
    return f"datum {row}, feature {event[0] if len(event) == 1 else tuple(event)} (counted from 0)"
