"""Where a distribution of z lies."""

import torch
from torch import Tensor

from obsvae.distribution import Distribution

# Draws from a distribution whose mean is not known.
_DRAWS = 100


def location(q: Distribution) -> Tensor:
    """Return the mean of a distribution of z ``(N, D)``, or the median of draws where the mean is not known.

    A Cauchy has no mean, and a normalising flow does not know its own.
    """
    mean = known_mean(q)
    if mean is None:
        return median_of_draws(q)
    known = torch.isfinite(mean)
    return mean if known.all() else torch.where(known, mean, median_of_draws(q))


def known_mean(q: Distribution) -> Tensor | None:
    """Return the mean of a distribution ``(N, D)``, None where it is not known."""
    try:
        return q.mean
    except NotImplementedError:  # torch's way to say that a mean is not known
        return None


def median_of_draws(q: Distribution) -> Tensor:
    """Return the median of a hundred draws, dimension by dimension ``(N, D)``."""
    return q.sample(torch.Size((_DRAWS,))).median(0).values
