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
    traversals,
)
from obsvae.inference.conditions import alike, rows_of

_SHOWN = 10


def calibration(subject: Subject) -> list[Picture]:
    """Draw the ranks of simulated latents."""
    calibration = calibrate(
        subject.model,
        subject.run.guide,
        100,
        99,
        c=alike(subject.c, 100),
        particles=subject.particles,
        seed=subject.seed,
        progress=False,
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
    figure = inference.plot_latents(
        subject.model, subject.run.guide, subject.x, subject.labels, methods, subject.seed, c=subject.c
    )
    text = "KL by dimension; the aggregate posterior (a draw from the guide for each datum) beside the prior; "
    text += "the guide's means by their first two principal components"
    return [picture(figure, "Latent space", f"{text}{', and by UMAP' if len(methods) > 1 else ''}.")]


def walks(subject: Subject) -> list[Picture]:
    """Draw traversals, interpolations and neighbours."""
    if len(subject.x) < 6:
        raise UsageError(f"neighbours and interpolations need at least 6 data, but there are {len(subject.x)}")
    means, train = subject.means(), subject.means_of_training()
    active = int(active_units(means).sum())
    dimensions = torch.argsort(means.var(0), descending=True)[: min(5, max(1, active))].tolist()
    values = np.linspace(-3, 3, 9).tolist()
    along = traversals(subject.trained, means[0], dimensions, values, rows_of(subject.c, slice(1)))
    rows = {f"z[{d}]": row for d, row in zip(dimensions, along, strict=True)}
    pictures = [
        rows_picture(
            subject,
            rows,
            "Traversals",
            "Means: one latent at a time from −3 to 3, the others at the first datum's mean; the most varying latents."
            + (" Conditions are those of the first datum." if subject.c is not None else ""),
            [f"{value:g}" for value in values],
        )
    ]
    steps = interpolations(subject.trained, means[:3], means[3:6], 9, rows_of(subject.c, slice(3)))
    rows = {f"{i} to {i + 3}": row for i, row in enumerate(steps)}
    text = "Means along straight lines between the guide's means of two data."
    text += " Conditions are those of the one on the left." if subject.c is not None else ""
    pictures.append(rows_picture(subject, rows, "Interpolations", text))
    neighbours = nearest(means[:_SHOWN], train, 3)
    found = {f"neighbour {j + 1}": subject.run.data.train[torch.from_numpy(neighbours[:, j])] for j in range(3)}
    rows = {"data": subject.x[: len(neighbours)], **found}
    text = "Held-out data over the training data whose means are nearest."
    return [*pictures, rows_picture(subject, rows, "Nearest neighbours", text)]
