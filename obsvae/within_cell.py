"""Uniform noise within the cells of a grid."""

import torch
from torch import Tensor

_LEAST = 2.0**-25  # half of the least positive number that torch.rand draws


def within_cell(x: Tensor, step: float, u: Tensor) -> Tensor:
    """Return x + step · u, strictly within the cell from x to x + step.

    Sums can round to an edge of the cell: torch draws 0 too, and in float32 255 + 0.99999994 is 256. They become the
    nearest value inside. At x = 0 that would be a denormal number, which programs may flush to 0 again: hence the least
    u.

    Args:
        x: values on a grid, of any shape.
        step: the grid's.
        u: draws from U(0, 1), of a shape that broadcasts with x.
    """
    end = x + step
    return torch.minimum(torch.maximum(x + step * u.clamp_min(_LEAST), x.nextafter(end)), end.nextafter(x))
