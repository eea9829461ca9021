"""Figures of a run."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from obsvae.inference.features import as_picture
from obsvae.inference.figures.palette import COLOURS
from obsvae.inference.training.history import History


def plot_history(history: History) -> Figure:
    """Draw the training and the validation objective against epochs, with the epoch whose weights were kept."""
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    epochs = [e.epoch for e in history]
    axes.plot(epochs, [e.elbo for e in history], "o-", markersize=3, label="training objective")
    axes.plot(epochs, [e.validation_elbo for e in history], "s-", markersize=3, label=f"validation {history.objective}")
    if history.best:
        axes.axvline(history.best.epoch, color="0.6", linestyle=":", label="weights kept")
    axes.set(xlabel="epoch", ylabel="nats per datum")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()
    return figure


def plot_data(axes: Axes, datum: np.ndarray, low: float | np.ndarray, high: float | np.ndarray) -> None:
    """Draw one datum: as a picture where it has rows and columns, as a line where it is a vector.

    Where each column of a window (time, sensor) has limits of its own, it is drawn as a line for each.

    Args:
        axes: where to.
        datum: in data units.
        low: what is black, or the foot of the axes: a number, or one for each feature of a vector or each column of a
            window, ``(1, C)``.
        high: what is white, or the top of the axes.
    """
    if datum.ndim == 1:
        axes.plot((datum - low) / (high - low), ".-", color="0.2", linewidth=1, markersize=3)
        axes.set_ylim(-0.1, 1.1)
    elif datum.ndim == 2 and np.ndim(low) == 2:
        for c, values in enumerate(((datum - low) / (high - low)).T):
            axes.plot(values, color=COLOURS[c % len(COLOURS)], linewidth=1)
        axes.set_ylim(-0.1, 1.1)
    else:
        axes.imshow(np.clip((as_picture(datum) - low) / (high - low), 0, 1), cmap="gray", vmin=0, vmax=1)
    axes.set_xticks([])
    axes.set_yticks([])


def limits_of(x: np.ndarray, unit_shape: Sequence[int] = ()) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the greatest of data ``(N, *event)``, over entries that are not NaN.

    Feature by feature for vectors, whose columns may have units of their own; column by column, ``(1, C)``, for windows
    whose columns have; and over all features of pictures.

    Args:
        x: the data.
        unit_shape: of their statistics, as a dataset has it.
    """
    if x.ndim == 3 and len(unit_shape) == 2 and unit_shape[0] == 1:
        return np.nanmin(x, (0, 1))[None], np.nanmax(x, (0, 1))[None]
    over = 0 if x.ndim == 2 else None
    return np.nanmin(x, over), np.nanmax(x, over)


def plot_reproductions(
    rows: Mapping[str, Tensor],
    limits: tuple[float | np.ndarray, float | np.ndarray] | None = None,
    columns: Sequence[str] = (),
) -> Figure:
    """Draw rows of data, one above the other, on one scale.

    Args:
        rows: tensors ``(n, *event)`` in data units by title, the originals first.
        limits: values drawn black and white, as :func:`plot_data` takes them; by default the :func:`limits_of` the
            first row.
        columns: titles of the columns, if any.
    """
    arrays = {title: tensor.detach().cpu().numpy() for title, tensor in rows.items()}
    first = next(iter(arrays.values()))
    low, high = limits_of(first) if limits is None else limits
    high = np.where(high > low, high, low + 1.0)
    figure = Figure(
        figsize=(0.9 * len(first) + 1.6, 0.95 * len(arrays) + (0.4 if columns else 0.1)), layout="constrained"
    )
    grid = figure.subplots(len(arrays), len(first), squeeze=False)
    for axes_row, (title, data) in zip(grid, arrays.items(), strict=True):
        for axes, datum in zip(axes_row, data, strict=True):
            plot_data(axes, datum, low, high)
        axes_row[0].set_ylabel(title, rotation=0, ha="right", va="center")
    for axes, title in zip(grid[0], columns, strict=False):
        axes.set_title(title, fontsize=9)
    return figure
