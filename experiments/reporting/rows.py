"""Rows of data as pictures, on the scale of the run's data."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from obsvae import inference  # a figure loads matplotlib when it is first asked for
from obsvae.experiments.reporting.page import Picture, picture
from obsvae.experiments.reporting.subject import Subject


def rows_picture(
    subject: Subject, rows: Mapping[str, Tensor], alt: str, caption: str, columns: Sequence[str] = ()
) -> Picture:
    """Draw rows of data on the scale of the run's data."""
    data = subject.run.data
    bounds = data.bounds
    if bounds is None or subject.x.ndim == 2:
        limits = inference.limits_of(data.train.cpu().numpy(), data.unit_shape)
        figure = inference.plot_reproductions(rows, limits, columns)
        scale = "Black and white are the least and the greatest value in the training data."
    else:
        figure = inference.plot_reproductions(rows, bounds, columns)
        scale = "Black and white are the data's bounds."
    if subject.x.ndim == 2 or (bounds is None and limits[0].ndim == 2):
        each = "Feature by feature" if subject.x.ndim == 2 else "A line for each column of a window"
        scale = f"{each}, from the least of the training data at the foot to the greatest at the top."
    return picture(figure, alt, f"{caption} {scale}")
