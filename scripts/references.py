"""What ``evaluate.py`` holds estimates against: other numbers of particles, and annealing there and back."""

import time
from pathlib import Path
from typing import Any

import numpy as np
from command import csv_text
from evaluation import doubtful, per_datum_columns, per_datum_file, read_per_datum, table
from tabulate import tabulate
from torch import Tensor

from guides import AmortisedDelta, AmortisedNormal
from inference import (
    Amortised,
    Annealed,
    Proposal,
    Refined,
    bidirectional,
    counts_up_to,
    is_point_mass,
    log_likelihood,
    mean_curves,
    plot_particles,
    posterior,
    save_figure,
    save_text,
)
from model import VAE


def curve(
    folder: Path,
    split: str,
    model: VAE,
    guide: AmortisedNormal | AmortisedDelta,
    x: Tensor,
    particles: int,
    settings: dict[str, Any],
) -> None:
    """Draw the estimates against the number of particles, beside what annealing has left."""
    model.observation.require_likelihood()
    file = per_datum_file(folder, split, "ais")
    annealed = read_per_datum(file)[: len(x)] if file.is_file() else None
    if annealed is not None:
        x = x[: len(annealed)]  # the same data, or the curves could not be held against it
    log_weights: dict[str, np.ndarray] = {}
    summaries: dict[str, dict[str, Any]] = {}
    for proposal in _proposals(guide, x):
        start = time.perf_counter()
        found = log_likelihood(model, guide, x, particles, proposal=proposal, keep_weights=len(x), **settings)
        assert found.log_weights is not None
        log_weights[proposal.name] = found.log_weights
        own = {"measure": model.observation.measure.value, "seconds": time.perf_counter() - start}
        summaries[proposal.name] = {**found.summary(), **own}
    means, kept = mean_curves(log_weights, None if annealed is None else annealed[:, 0])
    n = int(kept.sum())
    reference = None
    if annealed is not None:
        estimate, error = annealed[kept, 0], annealed[kept, 1]
        reference = ("AIS", float(estimate.mean()), float(np.sqrt(np.square(error).sum()) / n))
    figure = save_figure(folder / "figures/likelihood.png", plot_particles(means, n, reference))
    rows = [{"K": k, **{name: line[k] for name, line in means.items()}} for k in counts_up_to(particles)]
    print(tabulate(rows, "keys", floatfmt=".3f"))
    lacking = f"; {len(x) - n} lack an estimate somewhere, and are left out" if n < len(x) else ""
    print(f"means over {n} data{lacking}\n\nwith K = {particles}:\n{table(summaries)}")
    if annealed is None or reference is None:
        print(f"no {file}: --proposal ais leaves it, and its value is drawn then, too")
    else:
        flagged = int(annealed[kept, 2].sum())
        print(f"AIS over the same data: {reference[1]:.3f} ± {reference[2]:.3f}; {flagged} of them flagged")
    print(f"written: {figure}")


def bracket(
    folder: Path,
    model: VAE,
    guide: AmortisedNormal | AmortisedDelta,
    n: int,
    particles: int,
    others: int,
    proposal: Annealed,
    settings: dict[str, Any],
) -> None:
    """Bracket the likelihood of simulated data, and hold the other estimates, with so many particles, against it."""
    found = bidirectional(model, guide, n, particles, proposal=proposal, **settings)
    lower, upper = found.bounds()
    # A seed of their own: the data were drawn by the first.
    own = {**settings, "seed": settings["seed"] + 1}
    estimates = {
        other.name: log_likelihood(model, guide, found.x, others, proposal=other, **own)
        for other in _proposals(guide, found.x)
    }
    columns = {
        **{name: likelihood.weights.estimate for name, likelihood in estimates.items()},
        "ais, there (lower bound)": lower,
        "ais, back (upper bound)": upper,
    }
    rows = [
        {
            "estimate": name,
            "K": estimates[name].particles if name in estimates else particles,
            "log p, nats per datum": values.mean(),
            "to the lower bound": (values - lower).mean(),
            "± s.e.": (values - lower).std(ddof=1) / np.sqrt(n) if n > 1 else float("nan"),
        }
        for name, values in columns.items()
    ]
    data: dict[str, np.ndarray] = {"datum": np.arange(n), "upper": upper}
    for name, weights in {"lower": found.lower, **{name: found.weights for name, found in estimates.items()}}.items():
        data |= {f"{name} {column}": values for column, values in per_datum_columns(weights).items()}
    file = save_text(
        folder / "likelihood/simulated.csv",
        csv_text([dict(zip(data, row, strict=True)) for row in zip(*data.values(), strict=True)]),
    )
    gap = upper - lower
    print(f"{n} data drawn from the model")
    print(tabulate(rows, "keys", floatfmt=".3f"))
    print(f"gap of the bounds: mean {gap.mean():.3f}, largest {gap.max():.3f} at datum {gap.argmax()}")
    notes = [f"{name}: {line}" for name, likelihood in estimates.items() for line in doubtful(likelihood)]
    print("\n".join([*notes, f"written: {file}"]))


def _proposals(guide: AmortisedNormal | AmortisedDelta, x: Tensor) -> list[Proposal]:
    """Return what is held against one another; a point mass proposes nothing."""
    if is_point_mass(posterior(guide, x[:1])):
        print("the guide puts a point mass on z, as a plain autoencoder does: there is no amortised estimate")
        return [Refined()]
    return [Amortised(), Refined()]
