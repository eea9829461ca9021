"""When a difference is one, and when estimates are in doubt."""

import math

from obsvae.inference import Difference

# Standard errors beyond which a difference is declared.
DECLARED = 2.0
# Share of the estimates that are flagged beyond which what rests on them is in doubt.
FLAGGED = 0.1


def is_worse(difference: Difference, errors: float = DECLARED) -> bool:
    """Return whether a score is lower by more than two standard errors, or as many; not where these are not known."""
    return difference.mean + errors * _error(difference) < 0


def is_better(difference: Difference) -> bool:
    """Return whether a score is higher by more than two standard errors."""
    return difference.mean - DECLARED * _error(difference) > 0


def _error(difference: Difference) -> float:
    return math.inf if math.isnan(difference.standard_error) else difference.standard_error
