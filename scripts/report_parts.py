"""The parts of a run's report: figures, each with what it shows and what it means."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from report_page import Part, Picture, picture
from torch import Tensor

from data import Dataset
from guides import AmortisedDelta, AmortisedNormal
from inference import (
    UMAP_DATA,
    LogLikelihood,
    active_units,
    amortisation_gap,
    calibrate,
    can_umap,
    check_predictive,
    interpolations,
    limits_of,
    load_history,
    mean_curves,
    nearest,
    plot_calibration,
    plot_gaps,
    plot_history,
    plot_latents,
    plot_particles,
    plot_predictive,
    plot_reproductions,
    posterior_means,
    prior_draws,
    reproduce,
    reproductions,
    traversals,
)
from model import VAE, Measure

_SHOWN = 10


@dataclass(frozen=True)
class Subject:
    """A run that is reported on.

    Attributes:
        name: of its folder.
        path: of its folder.
        config: its configuration.
        data: its data.
        model: as it is scored.
        is_likelihood: whether it was trained as it is scored, and not by a loss.
        guide: its guide.
        x: the held-out data that are looked at ``(N, *event)``.
        labels: their classes ``(N,)``, or None.
        refined: their likelihood, with the log-weights.
        amortised: likewise by the guide, or None where it is a point mass.
        seed: of all draws.
    """

    name: str
    path: str
    config: dict[str, Any]
    data: Dataset
    model: VAE
    is_likelihood: bool
    guide: AmortisedNormal | AmortisedDelta
    x: Tensor
    labels: Tensor | None
    refined: LogLikelihood
    amortised: LogLikelihood | None
    seed: int


def parts_of(run: Subject) -> Mapping[str, Callable[[], Part]]:
    """Return the parts of a run's report by title, in the order of the page."""
    builders: dict[str, tuple[str, Callable[[Subject], list[Picture]]]] = {
        "How it learned": (
            "Training and validation objective by epoch; the weights are those of the best validation.",
            _learning,
        ),
        "Reproductions": (
            "What the decoder makes of held-out data. Mean, sample and parameter are different pictures.",
            _reproductions,
        ),
        "Draws from the model": ("What the model makes of nothing: z from the prior.", _samples),
        "Predictive checks": (
            "Held-out data beside samples from the model as a whole, z from the prior: would it have made such data?",
            _predictive,
        ),
        "How far to trust the likelihood": (
            "The estimate against the number of particles: where it still climbs, it is not there yet.",
            _likelihood,
        ),
        "The data with the lowest likelihood, and those where the guide is worst": (
            "Pictures of failures: look at these before believing any mean.",
            _worst,
        ),
        "Calibration of the posterior": (
            "Data drawn from the model itself: the z that made them should be like any draw from their posterior.",
            _calibration,
        ),
        "Latents": ("Which dimensions are used, whether together they fill the prior, and what lies where.", _latents),
        "Traversals, interpolations and neighbours": ("All pictures are means, E[x | z].", _walks),
    }

    def guarded(title: str, text: str, build: Callable[[Subject], list[Picture]]) -> Callable[[], Part]:
        def make() -> Part:
            try:
                return Part(title, text, build(run))
            except ValueError as error:  # what these data or this family cannot give
                return Part(title, note=str(error))

        return make

    return {title: guarded(title, *builder) for title, builder in builders.items()}


def _rows(run: Subject, rows: Mapping[str, Tensor], alt: str, caption: str, columns: Sequence[str] = ()) -> Picture:
    """Draw rows of data on the scale of the run's data."""
    limits, scale = run.data.bounds, "Black and white are the data's bounds."
    if limits is None or run.x.ndim == 2:
        limits = limits_of(run.data.train.cpu().numpy())
        scale = "Black and white are the least and the greatest value in the training data."
    if run.x.ndim == 2:
        scale = "Feature by feature, from the least of the training data at the foot to the greatest at the top."
    return picture(plot_reproductions(rows, limits, columns), alt, f"{caption} {scale}")


def _learning(run: Subject) -> list[Picture]:
    """Draw the learning curve."""
    history = load_history(run.path)
    if not len(history):
        raise ValueError("training finished no epoch")
    if not (run.guide.kl_weight and run.is_likelihood):
        history.objective = "objective"  # it bounds no likelihood
    return [picture(plot_history(history), "Learning curve", f"{len(history)} epochs.")]


def _reproductions(run: Subject) -> list[Picture]:
    """Draw data over what the decoder makes of them."""
    few = run.x[:_SHOWN]
    rows = {"data": few, **reproductions(run.model, run.guide, few, run.seed)}
    caption = "Held-out data; the observation's mean at the guide's mean of z, E[x | z]; a sample x ~ p(x | z)"
    caption += "; and the parameter, which a sigmoid would show and which is not the mean." if len(rows) > 3 else "."
    return [_rows(run, rows, "Data over their reproductions", caption)]


def _samples(run: Subject) -> list[Picture]:
    """Draw what the model makes of draws from the prior."""
    rows = prior_draws(run.model, _SHOWN, run.seed)
    caption = "At ten draws z ~ p(z): the observation's mean E[x | z], and a sample x ~ p(x | z)"
    caption += "; and the parameter, which is not the mean." if len(rows) > 2 else "."
    return [_rows(run, rows, "Draws from the model", caption)]


def _predictive(run: Subject) -> list[Picture]:
    """Draw held-out data beside samples from the model."""
    check = check_predictive(run.model, run.x, seed=run.seed)
    counts = run.model.observation.measure is Measure.COUNTING and run.data.grid is not None and run.data.grid.step == 1
    figure = plot_predictive(check, run.data.bounds, counts=counts)
    text = f"{len(run.x)} held-out data and {len(check.simulated)} samples from the model."
    return [picture(figure, "Predictive checks", text)]


def _likelihood(run: Subject) -> list[Picture]:
    """Draw estimates of the likelihood against particles."""
    found = {"refined": run.refined} if run.amortised is None else {"amortised": run.amortised, "refined": run.refined}
    means, kept = mean_curves({name: one.log_weights for name, one in found.items() if one.log_weights is not None})
    n = int(kept.sum())
    return [picture(plot_particles(means, n), "Estimate against particles", f"Mean over {n} data.")]


def _worst(run: Subject) -> list[Picture]:
    """Draw the data that fare worst."""
    estimate = np.where(run.refined.weights.usable, run.refined.weights.estimate, -np.inf)
    lowest = np.argsort(estimate)[:_SHOWN]
    captions = {
        "lowest": "The lowest log p(x) in nats, with the index of the datum, over E[x | z] at the guide's mean."
    }
    pictures = [_of_data(run, lowest, estimate, "Data with the lowest likelihood", captions["lowest"])]
    if run.amortised is not None:
        gap = amortisation_gap(run.refined.weights, run.amortised.weights)
        if n := int(np.isfinite(gap).sum()):
            text = f"The amortisation gap of {n} data"
            text += "." if n == len(gap) else f"; the other {len(gap) - n} have no estimate by one of the two."
            figure = plot_gaps(run.refined.weights, run.amortised.weights)
            pictures.append(picture(figure, "Amortisation gap by datum", text))
        gap = np.where(np.isnan(gap), -np.inf, gap)
        caption = "The largest amortisation gaps: refined less amortised estimate in nats, with the index of the datum."
        pictures.append(_of_data(run, np.argsort(-gap)[:_SHOWN], gap, "Data where the guide is worst", caption))
    return pictures


def _of_data(run: Subject, which: np.ndarray, values: np.ndarray, alt: str, caption: str) -> Picture:
    x = run.x[torch.from_numpy(which)]
    rows = {"data": x, "reproduction\n(mean)": reproduce(run.model, run.guide, x)}
    # A gap may be infinite; what has no estimate is sorted as −∞.
    shown = {np.inf: "∞", -np.inf: "–"}
    titles = [f"{i}: {shown.get(values[i], f'{values[i]:.4g}')}" for i in which]
    return _rows(run, rows, alt, caption, titles)


def _calibration(run: Subject) -> list[Picture]:
    """Draw the ranks of simulated latents."""
    calibration = calibrate(run.model, run.guide, 100, 99, particles=500, seed=run.seed, progress=False)
    names = {name: calibration.outside(name) for name in calibration.ranks}
    found = "; ".join(f"{name}: {', '.join(outside) or 'none'}" for name, outside in names.items())
    text = f"100 simulated data. Quantities outside the band that holds 95 of 100 right curves: {found}."
    if doubt := calibration.doubt():
        text += f" Those of {' and '.join(doubt)} may be the fault of too few or too poor particles."
    return [picture(plot_calibration(calibration), "Ranks of the truth", text)]


def _latents(run: Subject) -> list[Picture]:
    """Draw the latent space."""
    methods = ["pca", "umap"] if can_umap() and len(run.x) >= UMAP_DATA else ["pca"]
    figure = plot_latents(run.model, run.guide, run.x, run.labels, methods, run.seed)
    text = "KL by dimension; the aggregate posterior (a draw from the guide for each datum) beside the prior; "
    text += "the guide's means by their first two principal components"
    return [picture(figure, "Latent space", f"{text}{', and by UMAP' if len(methods) > 1 else ''}.")]


def _walks(run: Subject) -> list[Picture]:
    """Draw traversals, interpolations and neighbours."""
    if len(run.x) < 6:
        raise ValueError(f"neighbours and interpolations need at least 6 data, but there are {len(run.x)}")
    means, train = posterior_means(run.guide, run.x), posterior_means(run.guide, run.data.train[:5000])
    active = int(active_units(means).sum())
    dimensions = torch.argsort(means.var(0), descending=True)[: min(5, max(1, active))].tolist()
    values = np.linspace(-3, 3, 9).tolist()
    along = traversals(run.model, means[0], dimensions, values)
    rows = {f"z[{d}]": row for d, row in zip(dimensions, along, strict=True)}
    pictures = [
        _rows(
            run,
            rows,
            "Traversals",
            "Means: one latent at a time from −3 to 3, the others at the first datum's mean; the most varying latents.",
            [f"{value:g}" for value in values],
        )
    ]
    steps = interpolations(run.model, means[:3], means[3:6], 9)
    rows = {f"{i} to {i + 3}": row for i, row in enumerate(steps)}
    text = "Means along straight lines between the guide's means of two data."
    pictures.append(_rows(run, rows, "Interpolations", text))
    neighbours = nearest(means[:_SHOWN], train, 3)
    found = {f"neighbour {j + 1}": run.data.train[torch.from_numpy(neighbours[:, j])] for j in range(3)}
    rows = {"data": run.x[: len(neighbours)], **found}
    text = "Held-out data over the training data whose means are nearest."
    return [*pictures, _rows(run, rows, "Nearest neighbours", text)]
