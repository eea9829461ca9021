"""The figure that sets several models' reproductions side by side."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Patch
from torch import Tensor

from obsvae.inference.features import as_map
from obsvae.inference.figures.palette import COLOURS
from obsvae.inference.figures.run import plot_data


def plot_comparison(
    x: Tensor,
    reproductions: Mapping[str, Tensor],
    bounds: tuple[float, float],
    shown: int = 10,
    unit: str = "value",
) -> Figure:
    """Draw originals over each model's reproductions and error maps, and pixel histograms on one scale.

    Args:
        x: the data ``(n, *event)`` in data units; all of them enter the histograms.
        reproductions: tensors like x by model.
        bounds: values drawn black and white; dotted in the histograms.
        shown: how many of the data are drawn.
        unit: what a value of x is, for the axes.
    """
    data = x.cpu().numpy()
    found = {name: tensor.cpu().numpy() for name, tensor in reproductions.items()}
    width, rows = 0.75 * shown + 3.0, 1 + 2 * len(found)
    figure = Figure(figsize=(width, 0.78 * rows + 2.9))
    figure.set_layout_engine("constrained", w_pad=0.08)  # or the labels touch the edge
    parts = figure.subfigures(2, 1, squeeze=False, height_ratios=[0.78 * rows, 2.9])
    pictures, histograms = parts[:, 0]
    _pictures(pictures, data[:shown], {name: r[:shown] for name, r in found.items()}, bounds, unit)
    _histograms(histograms, data, found, bounds, unit)
    return figure


def _pictures(
    figure: SubFigure, data: np.ndarray, found: Mapping[str, np.ndarray], bounds: tuple[float, float], unit: str
) -> None:
    grid = figure.subplots(1 + 2 * len(found), len(data), squeeze=False)
    # Half the range: most errors are small, and beyond it the colour is as strong as it gets.
    limit = 0.5 * (bounds[1] - bounds[0])
    errors = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    rows: list[tuple[str, np.ndarray, dict[str, Any] | None]] = [("data", data, None)]
    for name, reproduction in found.items():
        rows += [(name, reproduction, None), ("error", reproduction - data, errors)]
    for axes_row, (title, row, style) in zip(grid, rows, strict=True):
        for axes, datum in zip(axes_row, row, strict=True):
            if style is None:
                plot_data(axes, datum, *bounds)
            else:
                axes.imshow(as_map(datum), aspect="auto" if datum.ndim == 1 else "equal", **style)
                axes.set_xticks([])
                axes.set_yticks([])
        axes_row[0].set_ylabel(title, rotation=0, ha="right", va="center", fontsize=8 if style else 9)
    mappable = ScalarMappable(Normalize(-limit, limit), "RdBu_r")
    figure.colorbar(
        mappable, ax=grid, label=f"error: reproduction − data [{unit}]", shrink=0.6, aspect=40, extend="both"
    )


def _histograms(
    figure: SubFigure, data: np.ndarray, found: Mapping[str, np.ndarray], bounds: tuple[float, float], unit: str
) -> None:
    grid = figure.subplots(1, len(found), sharex=True, sharey=True, squeeze=False)[0]
    every = [data, *found.values()]
    edges = np.linspace(min(a.min() for a in every), max(a.max() for a in every), 81)
    for axes, (name, reproduction), colour in zip(grid, found.items(), COLOURS * len(found), strict=False):
        axes.hist(data.ravel(), edges, density=True, color="0.75")
        axes.hist(reproduction.ravel(), edges, density=True, histtype="step", color=colour)
        for bound in bounds:
            axes.axvline(bound, color="0.4", linestyle=":", linewidth=1)
        axes.set_yscale("log")
        axes.set_title(name, fontsize=9)
        axes.set_xlabel(unit)
    grid[0].set_ylabel("density of values")
    handles = [Patch(color="0.75", label="data"), Patch(fill=False, edgecolor="0.2", label="reproductions")]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=8)
