"""Figures of predictive checks: held-out data against draws from the model."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from obsvae.inference.checks.band import BAND, simultaneous_band
from obsvae.inference.checks.predictive import Predictive, require_enough
from obsvae.inference.features import as_map
from obsvae.inference.figures.palette import COLOURS

OBSERVED, SIMULATED = COLOURS[0], COLOURS[1]
_LEVELS = np.linspace(0.05, 0.95, 19)
_TAILS = (0.001, 0.01, 0.05, 0.95, 0.99, 0.999)
# Greatest number of values or cells in a rootogram.
_CELLS = 40


def plot_predictive(check: Predictive, bounds: tuple[float, float] | None = None, *, counts: bool = False) -> Figure:
    """Draw held-out data against samples from the model.

    Above: the transform of one feature of each datum as the difference of its distribution function to the uniform
    one, with its simultaneous 95 % band, which takes in the noise of the draws; coverage of central intervals; shares
    beyond the model's quantiles, of which the last two have no band. Below: how often values occur, as a rootogram for
    whole numbers; how many are exactly at the bounds or 0; then mean and standard deviation of each feature, as maps
    for images, standardised as the data for vectors, whose columns may have units of their own.

    Args:
        check: as :func:`obsvae.check_predictive` returns it.
        bounds: of the data: values exactly there are counted apart, as those at 0 are where there are any.
        counts: whether the values are whole numbers.

    Raises:
        UsageError: for fewer than 20 data or draws, or draws that are not finite.
    """
    require_enough(check)
    images = check.observed.ndim > 2
    figure = Figure(figsize=(12, 9.5 if images else 6.4), layout="constrained")
    rows = np.asarray(figure.subfigures(3 if images else 2, 1))
    _draw_transforms(rows[0], check)
    if images:
        values, ends = rows[1].subplots(1, 2, width_ratios=(2, 1))
        _draw_maps(rows[2], check)
    else:
        values, ends, features = rows[1].subplots(1, 3, width_ratios=(2, 1, 2))
        _draw_by_feature(features, check)
    (_draw_rootogram if counts else _draw_values)(values, check)
    _draw_ends(ends, check, bounds)
    return figure


def plot_transforms(check: Predictive) -> Figure:
    """Draw the upper row of :func:`plot_predictive` alone: it looks at ranks, so that units may differ.

    Args:
        check: of columns whose values have an order.

    Raises:
        UsageError: as :func:`plot_predictive` does.
    """
    require_enough(check)
    figure = Figure(figsize=(12, 3.4), layout="constrained")
    _draw_transforms(figure, check)
    return figure


def _draw_transforms(figure: Figure | SubFigure, check: Predictive) -> None:
    uniform, covered, tails = figure.subplots(1, 3)
    draw_pit_differences(uniform, {"one feature of each datum": check.one_of_each_datum}, draws=len(check.simulated))
    _draw_coverage(covered, check)
    _draw_tails(tails, check)


def draw_pit_differences(
    axes: Axes, transforms: Mapping[str, np.ndarray], emphasised: int | None = None, draws: int | None = None
) -> None:
    """Draw the distribution functions of values in (0, 1), less the uniform one, with its simultaneous band.

    Args:
        axes: where to.
        transforms: arrays ``(N,)`` of the same length, by name.
        emphasised: how many, from the first, get a colour and a name; the others are grey. By default all.
        draws: the number of draws among which all values are ranked; None where each has draws of its own.
    """
    emphasised = len(transforms) if emphasised is None else emphasised
    for i, (name, values) in enumerate(transforms.items()):
        band = simultaneous_band(len(values), draws)
        at = band.at
        if i == 0:
            low, high = band.lower - at, band.upper - at
            axes.fill_between(at, low, high, color="0.9", step="mid", label=f"simultaneous {BAND:.0%}")
            axes.axhline(0, color="0.6", linewidth=1)
        style: dict[str, Any] = {"color": "0.5", "linewidth": 0.8, "zorder": 1}
        if i < emphasised:
            style = {"color": COLOURS[i % len(COLOURS)], "linewidth": 1.6, "label": name}
        elif i == emphasised:
            style["label"] = "each latent"
        axes.plot(at, band.shares(values) - at, drawstyle="steps-mid", **style)
    axes.set(xlabel="probability integral transform u", ylabel="share of data below u, less u")
    above(axes)


def above(axes: Axes) -> None:
    """Put the legend above the axes, where it hides nothing."""
    axes.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)


def _draw_coverage(axes: Axes, check: Predictive) -> None:
    covered = check.coverage(_LEVELS.tolist())[:, check.varies]
    low, middle, high = np.quantile(covered, (0.05, 0.5, 0.95), axis=1)
    axes.fill_between(_LEVELS, low, high, color=OBSERVED, alpha=0.2, label="nine tenths of the features")
    axes.plot(_LEVELS, middle, color=OBSERVED, label="median feature")
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1)
    axes.set(xlabel="level of the central interval", ylabel="share of data within", xlim=(0, 1), ylim=(0, 1))
    above(axes)


def _draw_tails(axes: Axes, check: Predictive) -> None:
    found = check.beyond(_TAILS)
    expected = np.minimum(_TAILS, 1 - np.array(_TAILS))
    at = np.arange(len(_TAILS))
    axes.bar(at - 0.2, 100 * found, 0.4, color=OBSERVED, label="observed")
    axes.bar(at + 0.2, 100 * expected, 0.4, color=SIMULATED, label="if the model were right")
    axes.set_xticks(at, [f"{'<' if q < 0.5 else '>'} {q:g}" for q in _TAILS], fontsize=8)
    axes.set(xlabel="beyond the model's quantile", ylabel="% of all values", yscale="log")
    axes.yaxis.set_major_formatter(ScalarFormatter())
    above(axes)


def _draw_values(axes: Axes, check: Predictive) -> None:
    """Draw histograms of all values together; where columns have units of their own, of standardised values."""
    observed, simulated, unit = check.observed, check.simulated, "x, data units"
    if observed.ndim == 2:
        (observed, simulated), unit = _standardised(check), "x, standardised by feature"
    observed = observed[~np.isnan(observed)]
    both = np.concatenate([observed, simulated.flatten()])
    low, high = np.quantile(both, (0.0005, 0.9995))
    edges = np.linspace(low, high, 61).tolist()
    for values, colour, name in ((observed, OBSERVED, "observed"), (simulated, SIMULATED, "drawn from the model")):
        weights = np.full(values.size, 1.0 / values.size)
        axes.hist(values.flatten(), edges, weights=weights, histtype="step", color=colour, linewidth=1.4, label=name)
    axes.set(xlabel=unit, ylabel="share of all values", yscale="log")
    above(axes)


def _standardised(check: Predictive) -> tuple[np.ndarray, np.ndarray]:
    """Return both by the mean and the standard deviation of each observed feature, in double precision."""
    observed, simulated = check.observed.astype(np.float64), check.simulated.astype(np.float64)
    centre, width = np.nanmean(observed, 0), np.nanstd(observed, 0)
    width = np.where(width > 0, width, 1.0)
    return (observed - centre) / width, (simulated - centre) / width


def _draw_rootogram(axes: Axes, check: Predictive) -> None:
    """Draw a hanging rootogram: bars that hang from the expected frequencies should end at 0.

    Reference: Kleiber and Zeileis, *Visualizing count data regressions using rootograms*, The American Statistician
    2016.
    """
    observed, simulated = check.observed[~np.isnan(check.observed)], check.simulated.flatten()
    # A few far away, in either, would leave the others no room.
    least, low, high, greatest = np.quantile(observed, (0.0, 0.001, 0.999, 1.0))
    low = int(max(min(least, simulated.min()), low - _CELLS))
    high = int(min(max(greatest, simulated.max()), high + _CELLS))
    step = -(-(high - low + 1) // _CELLS)
    edges = np.arange(low, high + step + 1, step) - 0.5
    frequency = np.histogram(observed, edges)[0]
    expected = np.histogram(simulated, edges)[0] * len(observed) / len(simulated)
    at = (edges[:-1] + edges[1:]) / 2
    tops = np.sqrt(expected)
    axes.bar(at, np.sqrt(frequency), 0.8 * step, bottom=tops - np.sqrt(frequency), color=OBSERVED, label="observed")
    axes.plot(at, tops, "o-", color=SIMULATED, markersize=3, label="drawn from the model")
    axes.axhline(0, color="0.3", linewidth=1)
    axes.set(
        xlabel="x, data units" if step == 1 else f"x, data units, in cells of {step}", ylabel="√ frequency, hanging"
    )
    above(axes)


def _draw_ends(axes: Axes, check: Predictive, bounds: tuple[float, float] | None) -> None:
    points = sorted({*(bounds or ()), *([0.0] if max(check.share_at(0.0)) > 0 else [])})
    if not points:
        axes.axis("off")
        text = "the data declare no bounds,\nand no value is exactly 0"
        axes.text(0.5, 0.5, text, ha="center", va="center")
        return
    at = np.arange(len(points))
    for i, (colour, name) in enumerate(((OBSERVED, "observed"), (SIMULATED, "drawn from the model"))):
        shares = [100 * check.share_at(point)[i] for point in points]
        bars = axes.bar(at + (i - 0.5) * 0.4, shares, 0.4, color=colour, label=name)
        axes.bar_label(bars, fmt="%.3g", fontsize=8)
    axes.set_xticks(at, [f"x = {point:g}" for point in points])
    axes.set_xlim(-0.7, len(points) - 0.3)
    axes.set(ylabel="% of all values exactly there")
    axes.margins(y=0.1)
    above(axes)


def _draw_maps(figure: SubFigure, check: Predictive) -> None:
    pictures = {
        "mean, observed": as_map(np.nanmean(check.observed, 0, np.float64)),
        "mean, drawn from the model": as_map(check.simulated.mean(0, np.float64)),
        "standard deviation, observed": as_map(np.nanstd(check.observed, 0, np.float64)),
        "standard deviation,\ndrawn from the model": as_map(check.simulated.std(0, np.float64)),
    }
    halves = (list(pictures)[:2], list(pictures)[2:])
    for pair, axes_pair in zip(halves, figure.subplots(1, 4).reshape(2, 2), strict=True):
        low, high = (limit([pictures[title] for title in pair]) for limit in (np.min, np.max))
        for title, axes in zip(pair, axes_pair, strict=True):
            drawn = axes.imshow(pictures[title], cmap="viridis", vmin=low, vmax=high)
            axes.set_title(title, fontsize=9)
            axes.set_xticks([])
            axes.set_yticks([])
        figure.colorbar(drawn, ax=list(axes_pair), label="data units", shrink=0.8)


def _draw_by_feature(axes: Axes, check: Predictive) -> None:
    """Draw where the model puts each feature, and how wide: by the observed mean and deviation, it has no unit."""
    _, simulated = _standardised(check)
    at = np.arange(simulated.shape[1])
    for shift, values, colour, name in (
        (-0.12, simulated.mean(0), COLOURS[0], "its mean: 0 if right"),
        (0.12, simulated.std(0), COLOURS[2], "its standard deviation: 1 if right"),
    ):
        axes.plot(at + shift, values, "o", color=colour, markersize=4, label=name)
    for right in (0.0, 1.0):
        axes.axhline(right, color="0.6", linewidth=1)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="feature", ylabel="draws, standardised\nas the data")
    above(axes)
