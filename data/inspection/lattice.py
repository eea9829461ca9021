"""The lattice that numbers lie on."""

import numpy as np

DECIMALS = 6  # more make a grid that no data tell from none


def lattice_of(values: np.ndarray) -> tuple[float, float] | None:
    """Return the phase and the step of the coarsest lattice that distinct, sorted numbers lie on; None for none.

    The phase is from 0 to below the step, and 0 where all values are multiples of the step. Numbers that were rounded
    to float32 or added up are taken for the decimals that they come from.
    """
    if len(values) < 2:
        return None
    for decimals in range(DECIMALS + 1):
        scaled = values * 10.0**decimals
        size = max(abs(float(scaled[0])), abs(float(scaled[-1])))
        if size > 2**53:
            return None
        whole = np.rint(scaled)
        # Beyond a thousandth of a step rounding errors could make any number a decimal.
        noise = min(1e-3, 1e-6 + 1e-7 * size)
        if float(np.abs(scaled - whole).max()) <= noise:
            numbers = whole.astype(np.int64)
            step = int(np.gcd.reduce(numbers[1:] - numbers[0]))
            if step == 0:  # values closer than this many decimals tell
                continue
            unit = 10**decimals
            return int(numbers[0]) % step / unit, step / unit
    return None
