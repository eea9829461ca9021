"""Pictures of how a run learned, what it makes of data, and how far its likelihood can be trusted."""

import numpy as np
import torch

from obsvae.errors import UsageError
from obsvae.experiments.reporting.page import Picture, picture
from obsvae.experiments.reporting.rows import rows_picture
from obsvae.experiments.reporting.subject import Subject
from obsvae.inference import (
    amortisation_gap,
    check_predictive,
    mean_curves,
    plot_gaps,
    plot_history,
    plot_particles,
    plot_predictive,
    prior_draws,
    reproduce,
    reproductions,
)
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
    return [picture(plot_history(history), "Learning curve", f"{epochs}. Nats per datum of {trained_by}.")]


def reproduced(subject: Subject) -> list[Picture]:
    """Draw data over what the decoder makes of them."""
    few = subject.x[:_SHOWN]
    rows = {"data": few, **reproductions(subject.trained, subject.run.guide, few, subject.seed)}
    caption = "Held-out data; the observation's mean at the guide's mean of z, E[x | z]; a sample x ~ p(x | z)"
    caption += "; and the parameter, which a sigmoid would show and which is not the mean." if len(rows) > 3 else "."
    return [rows_picture(subject, rows, "Data over their reproductions", caption)]


def samples(subject: Subject) -> list[Picture]:
    """Draw what the model makes of draws from the prior."""
    rows = prior_draws(subject.trained, _SHOWN, subject.seed)
    caption = "At ten draws z ~ p(z): the observation's mean E[x | z], and a sample x ~ p(x | z)"
    caption += "; and the parameter, which is not the mean." if len(rows) > 2 else "."
    return [rows_picture(subject, rows, "Draws from the model", caption)]


def predictive(subject: Subject) -> list[Picture]:
    """Draw held-out data beside samples from the model."""
    check = check_predictive(subject.model, subject.x, seed=subject.seed)
    grid = subject.run.data.grid
    counts = subject.model.measure is Measure.COUNTING and grid is not None and grid.step == 1
    figure = plot_predictive(check, subject.run.data.bounds, counts=counts)
    text = f"{len(subject.x)} held-out data and {len(check.simulated)} samples from the model."
    return [picture(figure, "Predictive checks", text)]


def likelihood(subject: Subject) -> list[Picture]:
    """Draw estimates of the likelihood against particles."""
    found = (
        {"refined": subject.refined}
        if subject.amortised is None
        else {"amortised": subject.amortised, "refined": subject.refined}
    )
    means, kept = mean_curves({name: one.log_weights for name, one in found.items() if one.log_weights is not None})
    n = int(kept.sum())
    return [picture(plot_particles(means, n), "Estimate against particles", f"Mean over {n} data.")]


def worst(subject: Subject) -> list[Picture]:
    """Draw the data that fare worst."""
    estimate = np.where(subject.refined.weights.usable, subject.refined.weights.estimate, -np.inf)
    lowest = np.argsort(estimate)[:_SHOWN]
    caption = "The lowest log p(x) in nats, with the datum and its row in the file, over E[x | z] at the guide's mean."
    pictures = [_of_data(subject, lowest, estimate, "Data with the lowest likelihood", caption)]
    if subject.amortised is not None:
        gap = amortisation_gap(subject.refined.weights, subject.amortised.weights)
        if n := int(np.isfinite(gap).sum()):
            text = f"The amortisation gap of {n} data"
            text += "." if n == len(gap) else f"; the other {len(gap) - n} have no estimate by one of the two."
            figure = plot_gaps(subject.refined.weights, subject.amortised.weights)
            pictures.append(picture(figure, "Amortisation gap by datum", text))
        gap = np.where(np.isnan(gap), -np.inf, gap)
        caption = "The largest amortisation gaps: refined less amortised estimate in nats, with the datum and its row."
        pictures.append(_of_data(subject, np.argsort(-gap)[:_SHOWN], gap, "Data where the guide is worst", caption))
    return pictures


def _of_data(subject: Subject, which: np.ndarray, values: np.ndarray, alt: str, caption: str) -> Picture:
    x = subject.x[torch.from_numpy(which)]
    rows = {"data": x, "reproduction\n(mean)": reproduce(subject.trained, subject.run.guide, x, seed=subject.seed)}
    # A gap may be infinite; what has no estimate is sorted as −∞.
    shown = {np.inf: "∞", -np.inf: "–"}
    titles = [f"{i}\nrow {subject.rows[i]}\n{shown.get(values[i], f'{values[i]:.4g}')}" for i in which]
    return rows_picture(subject, rows, alt, caption, titles)
