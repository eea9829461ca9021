"""Pictures of how a run learned, what it makes of data, and how far its likelihood can be trusted."""

import numpy as np
import torch

from obsvae import inference  # a figure loads matplotlib when it is first asked for
from obsvae.errors import UsageError
from obsvae.experiments.reporting.page import Picture, picture
from obsvae.experiments.reporting.rows import rows_picture
from obsvae.experiments.reporting.subject import Subject
from obsvae.inference import amortisation_gap, check_predictive, prior_draws, reproduce, reproductions
from obsvae.inference.conditions import alike, rows_of
from obsvae.model import Measure

_SHOWN = 10


def learning(subject: Subject) -> list[Picture]:
    """Draw the learning curve."""
    history = subject.run.history
    if not len(history):
        raise UsageError("training finished no epoch")
    measure = subject.run.model.measure
    trained_by = "the loss" if measure is Measure.NONE else f"the {measure.value} that it was trained by"
    epochs = "1 epoch" if len(history) == 1 else f"{len(history)} epochs"
    return [picture(inference.plot_history(history), "Learning curve", f"{epochs}. Nats per datum of {trained_by}.")]


def reproduced(subject: Subject) -> list[Picture]:
    """Draw data over what the decoder makes of them."""
    few, c = subject.x[:_SHOWN], rows_of(subject.c, slice(_SHOWN))
    rows = {"data": few, **reproductions(subject.trained, subject.run.guide, few, subject.seed, c=c)}
    caption = "Held-out data; the observation's mean at the guide's mean of z, E[x | z]; a sample x ~ p(x | z)"
    caption += "; and the parameter, which a sigmoid would show and which is not the mean." if len(rows) > 3 else "."
    return [rows_picture(subject, rows, "Data over their reproductions", caption)]


def samples(subject: Subject) -> list[Picture]:
    """Draw what the model makes of draws from the prior."""
    rows = prior_draws(subject.trained, _SHOWN, subject.seed, c=alike(subject.c, _SHOWN))
    caption = "At ten draws z ~ p(z): the observation's mean E[x | z], and a sample x ~ p(x | z)"
    caption += "; and the parameter, which is not the mean." if len(rows) > 2 else "."
    return [rows_picture(subject, rows, "Draws from the model", caption)]


def predictive(subject: Subject) -> list[Picture]:
    """Draw held-out data beside samples from the model."""
    check = check_predictive(subject.model, subject.x, seed=subject.seed, c=subject.c)
    grid = subject.run.data.grid
    counts = subject.model.measure is Measure.COUNTING and grid is not None and grid.step == 1
    figure = inference.plot_predictive(check, subject.run.data.bounds, counts=counts)
    text = f"{len(subject.x)} held-out data and {len(check.simulated)} samples from the model."
    return [picture(figure, "Predictive checks", text)]


def likelihood(subject: Subject) -> list[Picture]:
    """Draw estimates of the likelihood against particles."""
    found = (
        {"refined": subject.refined}
        if subject.amortised is None
        else {"amortised": subject.amortised, "refined": subject.refined}
    )
    means, kept = inference.mean_curves(
        {name: one.log_weights for name, one in found.items() if one.log_weights is not None}
    )
    n = int(kept.sum())
    return [picture(inference.plot_particles(means, n), "Estimate against particles", f"Mean over {n} data.")]


def worst(subject: Subject) -> list[Picture]:
    """Draw the data that fare worst."""
    estimate, lowest = lowest_likelihood(subject)
    lowest = lowest[:_SHOWN]
    caption = "The lowest log p(x) in nats, with the datum and its row in the file, over E[x | z] at the guide's mean."
    pictures = [_of_data(subject, lowest, estimate, "Data with the lowest likelihood", caption)]
    drawn, gap = gaps(subject)
    if gap is None:
        return pictures
    caption = "The largest amortisation gaps: refined less amortised estimate in nats, with the datum and its row."
    worst_gaps = _of_data(subject, np.argsort(-gap)[:_SHOWN], gap, "Data where the guide is worst", caption)
    return [*pictures, *drawn, worst_gaps]


def lowest_likelihood(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    """Return the estimate of each datum ``(N,)``, −∞ where there is none, and the data from the lowest on."""
    estimate = np.where(subject.refined.weights.usable, subject.refined.weights.estimate, -np.inf)
    return estimate, np.argsort(estimate)


def gaps(subject: Subject) -> tuple[list[Picture], np.ndarray | None]:
    """Draw the amortisation gap where any is known, and return that of each datum ``(N,)``, −∞ where it is not.

    A point mass has none.
    """
    if subject.amortised is None:
        return [], None
    gap = amortisation_gap(subject.refined.weights, subject.amortised.weights)
    drawn = []
    if n := int(np.isfinite(gap).sum()):
        text = f"The amortisation gap of {n} data"
        text += "." if n == len(gap) else f"; the other {len(gap) - n} have no estimate by one of the two."
        figure = inference.plot_gaps(subject.refined.weights, subject.amortised.weights)
        drawn = [picture(figure, "Amortisation gap by datum", text)]
    return drawn, np.where(np.isnan(gap), -np.inf, gap)


def nats(value: float) -> str:
    """Return an estimate or a gap: a gap may be infinite, and what has no estimate is sorted as −∞."""
    return {np.inf: "∞", -np.inf: "–"}.get(value, f"{value:.4g}")


def _of_data(subject: Subject, which: np.ndarray, values: np.ndarray, alt: str, caption: str) -> Picture:
    at = torch.from_numpy(which)
    x, c = subject.x[at], rows_of(subject.c, at)
    made = reproduce(subject.trained, subject.run.guide, x, c=c, seed=subject.seed)
    rows = {"data": x, "reproduction\n(mean)": made}
    titles = [f"{i}\nrow {subject.called[i]}\n{nats(values[i])}" for i in which]
    return rows_picture(subject, rows, alt, caption, titles)
