"""The figure of how each column of a table is learned."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from obsvae.inference.figures.columns.view import literal
from obsvae.inference.figures.palette import COLOURS

# Columns with a colour and a name; the others are grey.
_NAMED = len(COLOURS)


def plot_column_gains(names: Sequence[str], shares: np.ndarray, best: int | None = None) -> Figure:
    """Draw how much the share of each column in the validation ELBO has changed since the first epoch.

    A share by itself depends on the unit of its column: of the same lengths it is log 10 nats lower in millimetres than
    in centimetres. Its changes do not, so that those of several columns compare.

    Args:
        names: of the columns.
        shares: after each epoch, ``(epochs, D)`` in nats per datum.
        best: the epoch, counted from 1, whose weights are kept.
    """
    gains = shares - shares[0]
    last = gains[-1 if best is None else best - 1]
    chosen = set(np.argsort(-np.abs(np.nan_to_num(last)))[:_NAMED].tolist())
    order = sorted(range(len(names)), key=lambda d: (d not in chosen, -np.nan_to_num(last[d])))
    figure = Figure(figsize=(8.4, 4.2), layout="constrained")
    axes = figure.subplots()
    epochs = np.arange(1, len(shares) + 1)
    marker = "o" if len(shares) == 1 else None
    for i, d in enumerate(order):
        if d in chosen:
            label = f"{last[d]:+.2f}  {literal(names[d])}"
            axes.plot(epochs, gains[:, d], marker=marker, color=COLOURS[i], linewidth=1.5, label=label)
        else:
            others = f"{len(names) - _NAMED} more" if i == _NAMED else None
            axes.plot(epochs, gains[:, d], marker=marker, color="0.75", linewidth=0.8, zorder=1, label=others)
    if best is not None:
        axes.axvline(best, color="0.6", linestyle=":")
    axes.axhline(0, color="0.85", linewidth=1, zorder=0)
    axes.set(xlabel="epoch", ylabel="nats per datum gained\nsince the first epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    title = "at the weights kept (dotted)" if best is not None else "after the last epoch"
    figure.legend(loc="outside right upper", fontsize=9, title=title, title_fontsize=9, alignment="left")
    return figure
