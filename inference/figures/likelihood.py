"""Figures of likelihood estimates: against the number of particles, and the amortisation gap."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from obsvae.errors import UsageError
from obsvae.inference.figures.palette import BLUE, ORANGE, VERMILION
from obsvae.inference.likelihood.diagnostics import WeightDiagnostics, amortisation_gap, estimates_by_particles
from obsvae.whole_numbers import whole

_STYLES = ((VERMILION, "s"), (BLUE, "o"))


def plot_particles(
    curves: Mapping[str, Mapping[int, float]], n: int, reference: tuple[str, float, float] | None = None
) -> Figure:
    """Draw estimates of log p(x) against K.

    Args:
        curves: by proposal, the mean over data by number of particles.
        n: number of data.
        reference: name, value and standard error (of its particles, not of the data) of an estimate to hold them
            against.
    """
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for (name, curve), (colour, marker) in zip(curves.items(), _STYLES, strict=False):
        axes.plot(list(curve), list(curve.values()), color=colour, marker=marker, markersize=5, label=name)
        k, value = max(curve.items())
        axes.annotate(f"{value:.2f}", (k, value), (0, -14), textcoords="offset points", ha="right", fontsize=8)
    if reference is not None:
        name, value, error = reference
        axes.axhline(value, color="0.2", linestyle="--", label=f"{name}: {value:.2f} ± {error:.2f}")
        axes.axhspan(value - 2 * error, value + 2 * error, color="0.8", zorder=0)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda k, _: f"{k:,.0f}"))
    axes.set(xlabel="particles K", ylabel=f"log p̂(x), nats per datum (mean over {n} data)")
    axes.margins(y=0.12)
    axes.grid(color="0.92")
    axes.legend()
    return figure


def plot_gaps(refined: WeightDiagnostics, amortised: WeightDiagnostics) -> Figure:
    """Draw the amortisation gap of each datum, log p̂(x) refined less amortised, against the refined one.

    Args:
        refined: estimates of each datum; flagged ones have another colour.
        amortised: estimates of the same data.

    Raises:
        UsageError: where no datum has both.
    """
    gap = amortisation_gap(refined, amortised)
    known = np.isfinite(gap)
    if not known.any():
        raise UsageError(f"none of {len(gap)} data has both estimates: there is no amortisation gap to draw")
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    scattered, counted = figure.subplots(1, 2)
    for which, colour, name in (
        (known & ~refined.flagged, BLUE, "refined estimate is not flagged"),
        (known & refined.flagged, ORANGE, "flagged"),
    ):
        scattered.scatter(refined.estimate[which], gap[which], s=10, color=colour, label=f"{name}: {which.sum()}")
    scattered.axhline(0, color="0.6", linewidth=1)
    scattered.set(xlabel="log p̂(x) refined, nats", ylabel="amortisation gap, nats")
    scattered.legend(fontsize=8)
    counted.hist(gap[known], 40, color=BLUE)
    for value, style, name in ((gap[known].mean(), "-", "mean"), (np.median(gap[known]), "--", "median")):
        counted.axvline(value, color=VERMILION, linestyle=style, label=f"{name} {value:.3g}")
    counted.set(xlabel="amortisation gap, nats", ylabel="data")
    counted.legend(fontsize=8)
    return figure


def mean_curves(
    log_weights: Mapping[str, np.ndarray], also: np.ndarray | None = None
) -> tuple[dict[str, dict[int, float]], np.ndarray]:
    """Return the means of estimates by number of particles, and over which data they are, ``(N,)``.

    All are means over the same data: those that have an estimate everywhere.

    Args:
        log_weights: ``(K, N)`` by proposal, of the same data.
        also: other estimates ``(N,)`` that the data must have.

    Raises:
        UsageError: where no datum has them all.
    """
    curves = {}
    for name, weights in log_weights.items():
        counts = counts_up_to(len(weights))
        curves[name] = counts, estimates_by_particles(weights, counts)
    kept = np.logical_and.reduce([np.isfinite(values).all(0) for _, values in curves.values()])
    if also is not None:
        kept &= np.isfinite(also)
    if not kept.any():
        raise UsageError(f"none of {len(kept)} data has an estimate for every number of particles: nothing to draw")
    means = {
        name: dict(zip(counts, values[:, kept].mean(1).tolist(), strict=True))
        for name, (counts, values) in curves.items()
    }
    return means, kept


def counts_up_to(K: int) -> list[int]:
    """Return 1, 2, 5, 10, 20, 50, … and K; raise UsageError where K is no whole number of at least 1."""
    whole("K", K)
    steps = {int(m * 10**e) for e in range(int(np.log10(K)) + 1) for m in (1, 2, 5)}
    return sorted({k for k in steps if k <= K} | {K})
