"""The figure of a latent space: which dimensions are used, whether they fill the prior, and a map of the data."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.inference.conditions import batches
from obsvae.inference.figures.palette import BLUE, ORANGE
from obsvae.inference.latents.space import active_units, kl_by_dimension, posterior_means, project
from obsvae.inference.modes import device_of, unchecked
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.sites import posterior
from obsvae.modes import evaluating, seeded

# Dimensions drawn in the panel of KL and in that of draws: those with the greatest KL.
_SHOWN, _SHOWN_DRAWS = 40, 16
# With more classes than this, they get no names.
_NAMED = 20
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def plot_latents(
    model: GenerativeModel,
    guide: AmortisedGuide,
    x: Tensor,
    labels: Tensor | None = None,
    methods: Sequence[str] = ("pca",),
    seed: int = 0,
    *,
    c: Tensor | None = None,
) -> Figure:
    """Draw KL by dimension, the aggregate posterior beside the prior, and the guide's means in the plane.

    Args:
        model: the generative model.
        guide: its guide.
        x: data ``(N, *event)`` in data units, at least two.
        labels: a class of each datum ``(N,)``, for its colour, where there is one.
        methods: of the maps, each as :func:`obsvae.project` takes it; one latent needs none.
        seed: of the draws.
        c: conditions of the data ``(N, C)``; None where the model has none.

    Raises:
        UsageError: for fewer than two data, no method, and as :func:`obsvae.project` does.
    """
    if not methods or isinstance(methods, str):
        raise UsageError(f"methods must be a sequence of names such as ('pca',), but got {methods!r}")
    if len(x) < 2:
        raise UsageError(f"a figure of the latents needs at least 2 data, but there are {len(x)}")
    means = posterior_means(guide, x, c=c)
    planes = {name: project(means, name, seed) for name in methods} if means.shape[1] > 1 else {}
    classes = None if labels is None else labels.cpu().numpy()
    with evaluating(model, guide), unchecked(), seeded(seed, device_of(guide)):
        aggregate = torch.cat([posterior(guide, *batch).sample() for batch in batches(x, c, 500)]).cpu().numpy()
        prior = model.prior().sample(torch.Size((4000,))).cpu().numpy()
    try:
        kl, note = kl_by_dimension(model, guide, x, c=c).cpu().numpy(), None
    except UsageError as error:
        kl, note = means.var(0).cpu().numpy(), str(error)
    order = np.argsort(-kl)[:_SHOWN]
    panels = 2 + max(1, len(planes))
    figure = Figure(figsize=(1.0 + 4.0 * panels, 4.2), layout="constrained")
    used, filled, *where = figure.subplots(1, panels)
    _draw_kl(used, kl[order], active_units(means).cpu().numpy()[order], order, note)
    _draw_aggregate(filled, aggregate, prior, order[:_SHOWN_DRAWS])
    if not planes:
        _draw_line(where[0], means[:, 0].cpu().numpy(), classes)
    for axes, (name, plane) in zip(where, planes.items(), strict=False):
        _draw_plane(axes, plane, classes, name)
    return figure


def _draw_kl(axes: Axes, kl: np.ndarray, active: np.ndarray, order: np.ndarray, note: str | None) -> None:
    at = np.arange(len(kl))
    for which, colour, name in ((active, BLUE, "active"), (~active, ORANGE, "not active")):
        axes.bar(at[which], kl[which], color=colour)
        axes.bar([0], [0], color=colour, label=f"{name}: {which.sum()}")  # has a colour also where none is
    axes.set_xticks(at[:: max(1, len(at) // 10)], order[:: max(1, len(at) // 10)])
    what = "mean KL(q(z_d | x) ‖ p(z_d)), nats" if note is None else "variance of the guide's mean"
    axes.set(xlabel="latent dimension d", ylabel=what)
    axes.legend(fontsize=8)


def _draw_aggregate(axes: Axes, aggregate: np.ndarray, prior: np.ndarray, order: np.ndarray) -> None:
    at = np.arange(len(order))
    for draws, shift, colour, name in ((aggregate, -0.2, BLUE, "aggregate posterior"), (prior, 0.2, ORANGE, "prior")):
        low, lower, middle, upper, high = np.quantile(draws[:, order], _QUANTILES, axis=0)
        axes.vlines(at + shift, low, high, color=colour, linewidth=1, label=f"{name}: 5 … 95 %, 25 … 75 %, median")
        axes.vlines(at + shift, lower, upper, color=colour, linewidth=3)
        axes.plot(at + shift, middle, "o", color=colour, markersize=3, markeredgecolor="white")
    axes.set_xticks(at[:: max(1, len(at) // 10)], order[:: max(1, len(at) // 10)])
    axes.set(xlabel="latent dimension d", ylabel="z_d")
    axes.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)


def _coloured(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the classes, the class of each datum by index, and a colour for each class."""
    classes, index = np.unique(labels, return_inverse=True)
    return classes, index, colormaps["viridis"](np.linspace(0, 1, len(classes)))


def _draw_line(axes: Axes, means: np.ndarray, labels: np.ndarray | None) -> None:
    """Draw a single latent as a histogram, of each class above that of the others where they are few."""
    axes.set(xlabel="guide's mean of z[0]", ylabel="data")
    if labels is None or len(np.unique(labels)) > _NAMED:
        axes.hist(means, 40, color=BLUE)
        return
    classes, index, colours = _coloured(labels)
    parts = [means[index == i] for i in range(len(classes))]
    axes.hist(parts, 40, stacked=True, color=list(colours), label=[str(name) for name in classes])
    axes.legend(fontsize=8, ncols=2)


def _draw_plane(axes: Axes, plane: np.ndarray, labels: np.ndarray | None, method: str) -> None:
    if labels is None:
        axes.scatter(plane[:, 0], plane[:, 1], s=8, color=BLUE)
    else:
        classes, index, colours = _coloured(labels)
        drawn = axes.scatter(plane[:, 0], plane[:, 1], s=8, c=index, cmap="viridis")
        if len(classes) > _NAMED:
            bar = axes.figure.colorbar(drawn, ax=axes, label="label")
            ends = [0, len(classes) - 1]
            bar.set_ticks(ends, labels=[str(classes[i]) for i in ends])
        else:  # a colour says which class it is by the name at the centre
            for i, name in enumerate(classes):
                centre = np.median(plane[index == i], axis=0)
                box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": colours[i], "alpha": 0.85}
                axes.annotate(str(name), centre, ha="center", va="center", fontsize=9, bbox=box)
    axes.set(xlabel=f"{method.upper()} 1 of the guide's means", ylabel=f"{method.upper()} 2")
    axes.set_aspect("equal", adjustable="datalim")
