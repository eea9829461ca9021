"""Arrays and tensors that the caller has in memory."""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from obsvae.errors import UsageError

Values = ArrayLike | Tensor
NUMPY_FLOATS = (torch.float16, torch.float32, torch.float64)  # NumPy has no bfloat16 and no float8


def as_numpy(x: np.ndarray | Tensor, name: str, missing: bool = False) -> np.ndarray:
    """Return x as a plain NumPy array on the CPU, which may share memory with x.

    Args:
        x: an array, or a tensor on any device, with or without gradients.
        name: the name for x in an error.
        missing: whether masked entries are missing ones: they become NaN.

    Raises UsageError for masked entries, and for tensors that are sparse, nested, quantised or without values.
    """
    if isinstance(x, Tensor):
        if x.is_nested or x.is_quantized or x.is_meta or x.layout is not torch.strided:
            raise UsageError(
                f"{name}: needs a dense tensor that holds its values; got {x.dtype} in layout {x.layout} on "
                f"{x.device}: convert it, for example with x.to_dense()"
            )
        if x.is_floating_point() and x.dtype not in NUMPY_FLOATS:
            x = x.float()
        return x.numpy(force=True)
    if np.ma.is_masked(x) and missing:
        return np.ma.filled(x.astype(np.result_type(x.dtype, np.float32)), np.nan)
    if np.ma.is_masked(x):
        raise UsageError(
            f"{name}: needs a value in every entry; got a masked array, {np.ma.count_masked(x)} of {x.size} entries "
            "masked: declare that entries are missing (missing=True), or pass x.filled(value)"
        )
    return np.asarray(x)


def vector(values: Values, name: str) -> np.ndarray:
    """Return labels or row numbers as a NumPy array; a sequence becomes one.

    Raises UsageError for a sequence that is no array, such as lists of different lengths.
    """
    if isinstance(values, np.ndarray | Tensor):
        return as_numpy(values, name)
    try:
        return np.asarray(values)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name}: needs a one-dimensional array; got {type(values).__name__}: {error}") from error


def not_data(x: object) -> UsageError:
    """Return the error for something that `load` does not take, with the way to make an array of it."""
    kind = type(x).__name__
    if hasattr(x, "to_numpy"):  # one column of a data frame
        remedy = "pass series.to_frame()"
    elif isinstance(x, Iterable):
        remedy = "pass np.array(list(x)), one row for each item"
    else:
        remedy = "pass one of these"
    return UsageError(
        "load takes a known name, the path of a .npy or .npz file, of a table or of a folder of images, a NumPy array, "
        f"a torch tensor or a data frame; got {kind}: {remedy}"
    )
