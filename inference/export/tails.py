"""Log-likelihoods that ArviZ can smooth."""

import math

import numpy as np


def with_tails(log_p: np.ndarray) -> tuple[np.ndarray, int]:
    """Return log p(x_f | z) of each feature so that ArviZ's leave-one-out runs, and for how many features it changed.

    Leave-one-out fits a tail to the draws of the lowest log p(x_f | z), and ``az.loo`` stops for *all* features where
    those of one feature are equal: a mass that is 1 to the last digit whatever z, such as that of a pixel that is
    always 0, or a tail of one particle that was drawn again and again. There one draw is lowered, by the smallest step
    that the number format has at that value. The weights stay equal to that digit, so that neither the predictive
    density nor the transform of the feature changes; its k̂ is NaN, since nothing can be fitted.

    Args:
        log_p: ``(S, N, *event)`` for S draws of N data, in nats.
    """
    least = log_p.min(0)
    equal = np.isfinite(least) & ((log_p == least).sum(0) >= _fewest_in_tail(len(log_p)))
    # Among subnormal numbers the smallest step would be lost where the processor flushes them to 0.
    step = np.maximum(np.spacing(np.abs(least)), np.finfo(log_p.dtype).tiny, where=equal, out=np.zeros_like(least))
    found = log_p.copy()
    np.put_along_axis(found, log_p.argmin(0)[None], (least - step)[None], 0)
    return found, int(equal.sum())


def _fewest_in_tail(draws: int) -> int:
    """Return a lower bound on how many draws ArviZ fits a tail to.

    That is a fifth of S, or 3 √(S / r) of many, and never below 5; r, the relative efficiency by ``az.ess``, is at
    most log10 S.
    """
    efficiency = max(1.0, math.log10(draws))
    return max(5, min(draws // 5, math.floor(3 * math.sqrt(draws / efficiency))))
