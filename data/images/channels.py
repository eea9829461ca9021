"""Where an array of images has its channels."""

import numpy as np

from obsvae.errors import UsageError
from obsvae.names import lookup

CHANNELS = {"first": 1, "last": 3}


def channels_first(x: np.ndarray, channels: str, name: str) -> np.ndarray:
    """Return images with their channels first, ``(N, channels, rows, columns)``, which may share memory with x.

    Args:
        x: ``(N, channels, rows, columns)``, or with the channels in the last axis.
        channels: where they are, "first" or "last".
        name: the name for x in an error.

    Raises UsageError for an array of other than four axes.
    """
    axis = lookup("place of channels", channels, CHANNELS)
    if x.ndim != 4:
        raise UsageError(
            f"{name}: channels={channels!r} needs images with channels, four axes such as (images, rows, columns, "
            f"channels); got shape {x.shape}: leave it out"
        )
    return np.moveaxis(x, axis, 1)
