"""What every array must satisfy before anything is built on it."""

from collections.abc import Sequence

import numpy as np

MINIMUM_ROWS = 10
EXACT = 2**24  # float32 holds every integer up to here
LARGEST = 1e15  # of floats; the sum of the squares of 1e8 such values is within float32


def checked(x: np.ndarray, name: str) -> np.ndarray:
    """Return x as bool, integers or float32; raise ValueError for an array that no model could be trained on.

    Args:
        x: (N, *event).
        name: what the error calls it.

    """
    if x.dtype.kind not in "biuf":
        raise ValueError(f"{name}: needs an array of real numbers; got dtype {x.dtype}: convert it before saving")
    if x.ndim < 2:
        raise ValueError(
            f"{name}: needs at least 2 dimensions, (rows, features); got shape {x.shape}: "
            "one feature is x.reshape(-1, 1)"
        )
    if x.shape[0] < MINIMUM_ROWS:
        raise ValueError(f"{name}: needs at least {MINIMUM_ROWS} rows; got shape {x.shape}: collect more data")
    if x.size == 0:
        raise ValueError(f"{name}: needs at least one feature; got the empty shape {x.shape}: check how it was saved")
    if x.dtype.kind == "f":
        with np.errstate(over="ignore"):  # an overflow becomes inf and is reported below
            x = x.astype(np.float32, copy=False)
        _check_finite(x, name)
    elif x.dtype.kind in "iu" and (x.max() > EXACT or x.min() < -EXACT):
        wrong = (x > EXACT) | (x < -EXACT)
        raise ValueError(
            f"{name}: needs integers within ±2**24, which float32 holds exactly; {wrong.sum()} lie outside, the first "
            f"is {x[wrong][0]} at {_first(wrong)}: subtract an offset, or save them as floats"
        )
    if x.dtype.kind == "f":
        _check_spread(x, name)
    if x.min() == x.max():
        raise ValueError(f"{name}: needs data that vary; all {x.size} values are {x.flat[0]}: check how it was saved")
    return x


def check_bounds(x: np.ndarray, bounds: Sequence[float], name: str) -> tuple[float, float]:
    """Return the bounds as two floats; raise ValueError unless low < high and all x lie between them."""
    try:
        low, high = (float(bound) for bound in bounds)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"bounds need two numbers, (low, high); got {bounds!r}") from error
    with np.errstate(over="ignore"):
        if not -np.inf < np.float32(low) < np.float32(high) < np.inf:
            raise ValueError(f"bounds need low < high, finite and distinct in float32; got ({low}, {high})")
    # Floats are compared in float32, as they are stored: float32(0.7) is within (0, 0.7).
    outside = (x < low) | (x > high)
    if outside.any():
        raise ValueError(
            f"{name}: needs all data within the declared bounds ({low}, {high}); {outside.sum()} values lie outside, "
            f"the first is {x[outside][0]} at {_first(outside)}: widen the bounds or correct the data"
        )
    return low, high


def _check_finite(x: np.ndarray, name: str) -> None:
    wrong = ~np.isfinite(x)
    if wrong.any():
        raise ValueError(
            f"{name}: needs finite values (in float32, at most 3.4e38); {wrong.sum()} are not, the first is "
            f"{x[wrong][0]} at {_first(wrong)}: remove or impute them"
        )


def _check_spread(x: np.ndarray, name: str) -> None:
    # Likelihoods square x in float32, where 1e19² overflows and 1e-23² is 0.
    largest, spread = float(np.abs(x).max()), float(x.max()) - float(x.min())
    if largest > LARGEST or 0 < spread < 1 / LARGEST:
        raise ValueError(
            f"{name}: needs values of at most {LARGEST:g} in size that spread over at least {1 / LARGEST:g}, as "
            f"float32 has to hold their squares; the largest is {largest:g}, their spread {spread:g}: change the unit"
        )


def _first(wrong: np.ndarray) -> str:
    """Say where the first True lies, counted from 0."""
    row, *event = (int(i) for i in np.unravel_index(wrong.argmax(), wrong.shape))
    return f"datum {row}, feature {event[0] if len(event) == 1 else tuple(event)} (counted from 0)"
