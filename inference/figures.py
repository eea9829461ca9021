"""Figures of a run."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from inference.history import History


def plot_history(history: History) -> Figure:
    """Draw the training and the validation ELBO against epochs, with the epoch whose weights were kept."""
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    epochs = [e.epoch for e in history]
    axes.plot(epochs, [e.elbo for e in history], "o-", markersize=3, label="training objective")
    axes.plot(epochs, [e.validation_elbo for e in history], "s-", markersize=3, label="validation ELBO")
    if history.best:
        axes.axvline(history.best.epoch, color="0.6", linestyle=":", label="weights kept")
    axes.set(xlabel="epoch", ylabel="nats per datum")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()
    return figure


def plot_data(axes: Axes, datum: np.ndarray, low: float, high: float) -> None:
    """Draw one datum: as a picture where it has rows and columns, as a line where it is a vector."""
    if datum.ndim == 1:
        axes.plot(datum, color="0.2", linewidth=1)
        axes.set_ylim(low, high)
    else:
        # Three channels are colours; of any other number the mean is drawn.
        colours = datum.ndim == 3 and len(datum) == 3
        picture = np.moveaxis(datum, 0, -1) if colours else datum.reshape(-1, *datum.shape[-2:]).mean(0)
        scaled = np.clip((picture - low) / (high - low), 0, 1)
        axes.imshow(scaled, cmap="gray", vmin=0, vmax=1)
    axes.set_xticks([])
    axes.set_yticks([])


def plot_reproductions(rows: Mapping[str, Tensor], bounds: tuple[float, float] | None = None) -> Figure:
    """Draw rows of data, one above the other, on one scale.

    Args:
        rows: tensors ``(n, *event)`` in data units by title, the originals first.
        bounds: values drawn black and white; by default the least and greatest of the first row.
    """
    arrays = {title: tensor.detach().cpu().numpy() for title, tensor in rows.items()}
    first = next(iter(arrays.values()))
    low, high = bounds or (float(first.min()), float(first.max()))
    high = high if high > low else low + 1.0
    figure = Figure(figsize=(0.9 * len(first) + 1.6, 0.95 * len(arrays) + 0.1), layout="constrained")
    grid = figure.subplots(len(arrays), len(first), squeeze=False)
    for axes_row, (title, data) in zip(grid, arrays.items(), strict=True):
        for axes, datum in zip(axes_row, data, strict=True):
            plot_data(axes, datum, low, high)
        axes_row[0].set_ylabel(title, rotation=0, ha="right", va="center")
    return figure
