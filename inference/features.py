"""The axes of a datum: rows, columns, channels, features."""

from collections.abc import Sequence

import numpy as np

# An image has few channels, and they come first or last.
_CHANNELS = 4


def feature_dims(event_shape: Sequence[int]) -> tuple[str, ...]:
    """Return a name for each axis of a datum: of three, the shorter of the first and the last may be the channels."""
    match len(event_shape):
        case 1:
            return ("feature",)
        case 2:
            return ("row", "column")
        case 3 if event_shape[0] <= min(_CHANNELS, event_shape[2]):
            return ("channel", "row", "column")
        case 3 if event_shape[2] <= _CHANNELS:
            return ("row", "column", "channel")
    return tuple(f"axis_{i}" for i in range(len(event_shape)))


def as_picture(datum: np.ndarray) -> np.ndarray:
    """Return a datum with rows and columns as a picture: three channels are colours, of other numbers the mean is."""
    dims = feature_dims(datum.shape)
    if "channel" not in dims:
        return datum.reshape(-1, *datum.shape[-2:]).mean(0)
    channels_last = np.moveaxis(datum, dims.index("channel"), -1)
    return channels_last if channels_last.shape[-1] == 3 else channels_last.mean(-1)


def as_map(values: np.ndarray) -> np.ndarray:
    """Return one value for each place of a datum's picture, over colours their mean; a vector is a single row."""
    picture = as_picture(np.atleast_2d(values))
    return picture.mean(-1) if picture.ndim == 3 else picture
