"""Pictures of the latent space: whether its posterior is calibrated, which dimensions are used, what lies where."""

import numpy as np
import torch

from obsvae import inference  # a figure loads matplotlib when it is first asked for
from obsvae.errors import UsageError
from obsvae.experiments.reporting.page import Picture, picture
from obsvae.experiments.reporting.rows import rows_picture
from obsvae.experiments.reporting.subject import Subject
from obsvae.inference import (
    UMAP_DATA,
    active_units,
    calibrate,
    can_umap,
    interpolations,
    nearest,
    posterior_means,
    traversals,
)

_SHOWN = 10


def calibration(subject: Subject) -> list[Picture]:
    """Draw the ranks of simulated latents."""
    calibration = calibrate(
        subject.model, subject.run.guide, 100, 99, particles=subject.particles, seed=subject.seed, progress=False
    )
    names = {name: calibration.outside(name) for name in calibration.ranks}
    found = "; ".join(f"{name}: {', '.join(outside) or 'none'}" for name, outside in names.items())
    text = f"100 simulated data. Quantities outside the band that holds 95 of 100 right curves: {found}."
    if doubt := calibration.doubt():
        text += f" Those of {' and '.join(doubt)} may be the fault of too few or too poor particles."
    return [picture(inference.plot_calibration(calibration), "Ranks of the truth", text)]


def latents(subject: Subject) -> list[Picture]:
    """Draw the latent space."""
    methods = ["pca", "umap"] if can_umap() and len(subject.x) >= UMAP_DATA else ["pca"]
    figure = inference.plot_latents(subject.model, subject.run.guide, subject.x, subject.labels, methods, subject.seed)
    text = "KL by dimension; the aggregate posterior (a draw from the guide for each datum) beside the prior; "
    text += "the guide's means by their first two principal components"
    return [picture(figure, "Latent space", f"{text}{', and by UMAP' if len(methods) > 1 else ''}.")]


def walks(subject: Subject) -> list[Picture]:
    """Draw traversals, interpolations and neighbours."""
    if len(subject.x) < 6:
        raise UsageError(f"neighbours and interpolations need at least 6 data, but there are {len(subject.x)}")
    means, train = (
        posterior_means(subject.run.guide, x, seed=subject.seed) for x in (subject.x, subject.run.data.train[:5000])
    )
    active = int(active_units(means).sum())
    dimensions = torch.argsort(means.var(0), descending=True)[: min(5, max(1, active))].tolist()
    values = np.linspace(-3, 3, 9).tolist()
    along = traversals(subject.trained, means[0], dimensions, values)
    rows = {f"z[{d}]": row for d, row in zip(dimensions, along, strict=True)}
    pictures = [
        rows_picture(
            subject,
            rows,
            "Traversals",
            "Means: one latent at a time from −3 to 3, the others at the first datum's mean; the most varying latents.",
            [f"{value:g}" for value in values],
        )
    ]
    steps = interpolations(subject.trained, means[:3], means[3:6], 9)
    rows = {f"{i} to {i + 3}": row for i, row in enumerate(steps)}
    text = "Means along straight lines between the guide's means of two data."
    pictures.append(rows_picture(subject, rows, "Interpolations", text))
    neighbours = nearest(means[:_SHOWN], train, 3)
    found = {f"neighbour {j + 1}": subject.run.data.train[torch.from_numpy(neighbours[:, j])] for j in range(3)}
    rows = {"data": subject.x[: len(neighbours)], **found}
    text = "Held-out data over the training data whose means are nearest."
    return [*pictures, rows_picture(subject, rows, "Nearest neighbours", text)]
