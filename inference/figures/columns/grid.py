"""Panels in rows, with one legend for all."""

import math

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_ACROSS = 4


def panels(number: int, across: int = _ACROSS, size: tuple[float, float] = (2.9, 2.5)) -> tuple[Figure, list[Axes]]:
    """Return a figure with a number of axes, row by row; what is left over in the last row stays empty.

    Args:
        number: of axes.
        across: number in a row at most.
        size: of one of them, in inches.
    """
    columns = max(1, min(number, across))
    rows = max(1, math.ceil(number / columns))
    # One or two alone would leave a legend no room.
    figure = Figure(figsize=(max(6.5, size[0] * columns), size[1] * rows + 0.4), layout="constrained")
    grid = [axes for row in figure.subplots(rows, columns, squeeze=False) for axes in row]
    for axes in grid[number:]:
        axes.remove()
    return figure, grid[:number]


def legend_on_top(figure: Figure, *from_axes: Axes) -> None:
    """Put one legend above all panels, with each name once."""
    found: dict[str, Artist] = {}
    for axes in from_axes:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(name, handle)
    figure.legend(list(found.values()), list(found), loc="outside upper center", ncols=4, fontsize=9, frameon=False)
