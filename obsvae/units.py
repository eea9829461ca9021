"""Statistics of data over the entries that share a unit: each column of a table, each channel or all of an image."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from obsvae.errors import UsageError

UNITS = ("column", "channel", "all")
_CHANNELS = (1, 3, 4)  # grey, colour, colour with transparency


def usual_units(event_shape: Sequence[int], is_image: bool = True) -> str:
    """Return which entries of a datum have a unit of their own, where nobody says.

    Columns of vectors have; images have one unit, or one for each of 1, 3 or 4 channels; of other data, such as windows
    (time, sensor), columns have.

    Args:
        event_shape: shape of one datum.
        is_image: whether data of two axes, or of three without channels, are images.
    """
    if len(event_shape) == 1:
        return "column"
    if len(event_shape) == 3 and event_shape[0] in _CHANNELS:
        return "channel"
    if len(event_shape) == 3 and event_shape[-1] in _CHANNELS:
        return "column"
    return "all" if is_image else "column"


def unit_shape_of(event_shape: Sequence[int], units: str) -> tuple[int, ...]:
    """Return the shape of statistics, which broadcasts to the shape of a datum, with 1 for axes that share a unit.

    Args:
        event_shape: shape of one datum.
        units: which entries have a unit of their own: ``column`` (of the last axis, such as the sensors of windows
            (time, sensor)), ``channel`` (of the first of three axes), or ``all`` (one unit for all entries).

    Raises:
        UsageError: for channels of data that have none.
    """
    if units == "all":
        return ()
    if units == "column":
        return (*[1] * (len(event_shape) - 1), event_shape[-1])
    if len(event_shape) != 3:
        raise UsageError(
            f"units='channel' needs images (channels, rows, columns), but a datum has shape {tuple(event_shape)}; take "
            "units='column' or 'all'"
        )
    return (event_shape[0], 1, 1)


def mean_of(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Return the mean of each unit of x ``(N, *event)``, over entries that are not NaN, in the shape of statistics."""
    return _over_units(x, shape).nanmean(-1).view(tuple(shape)).to(x.dtype)


def variance_of(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Return the variance of each unit of x ``(N, *event)``, over entries that are not NaN; NaN for a single one."""
    entries = _over_units(x, shape)
    number = (~entries.isnan()).sum(-1)
    squares = (entries - entries.nanmean(-1, keepdim=True)).square().nansum(-1)
    return (squares / (number - 1).clamp(min=0)).view(tuple(shape)).to(x.dtype)


def median_of(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Return the median of each unit of x ``(N, *event)``, over entries that are not NaN; NaN where there is none."""
    return _over_units(x, shape).nanmedian(-1).values.view(tuple(shape)).to(x.dtype)


def quantiles_of(x: Tensor, shape: Sequence[int], levels: Sequence[float]) -> list[Tensor]:
    """Return quantiles of each unit of x ``(N, *event)``, over entries that are not NaN, at several levels."""
    # By NumPy: torch takes no more than 16 million entries.
    found = np.nanquantile(_over_units(x, shape).cpu().numpy(), levels, axis=-1)
    return [torch.from_numpy(np.asarray(one)).view(tuple(shape)).to(x) for one in found]


def varies(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Return whether each unit of x ``(N, *event)`` has two different values."""
    entries = _over_units(x, shape)
    low, high = entries.nan_to_num(math.inf).amin(-1), entries.nan_to_num(-math.inf).amax(-1)
    return (high > low).view(tuple(shape))


def _over_units(x: Tensor, shape: Sequence[int]) -> Tensor:
    """Return x ``(N, *event)`` in double precision, a row for each unit and its entries along the last axis."""
    event = x.shape[1:]
    shape = (*[1] * (len(event) - len(shape)), *shape)
    own = [axis + 1 for axis, size in enumerate(shape) if size > 1]
    shared = [0, *(axis + 1 for axis in range(len(event)) if axis + 1 not in own)]
    units = math.prod(x.shape[axis] for axis in own)
    return x.double().permute(*own, *shared).reshape(units, -1)
