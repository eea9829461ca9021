"""What looks wrong in a dataset."""

from collections.abc import Iterator

import numpy as np

from obsvae.data.dataset import Dataset
from obsvae.data.inspection.rows import extremes, rows_of, spreads
from obsvae.data.inspection.rules import same_columns, signs_in
from obsvae.data.inspection.splits import of_splits
from obsvae.data.inspection.suspicion import Sign, Suspicion, together
from obsvae.data.inspection.variables import name_of, variables_of

MIXED = 100.0  # greatest over least scale, from which on entries hardly have one unit


def suspicions_of(data: Dataset) -> tuple[Suspicion, ...]:
    """Return what looks wrong in a dataset, the worst kinds first; nothing where nothing does.

    That is numbers that may stand for missing values; rows that are repeated, within the data or across splits; values
    held out that are far from those to train on; features of very different scales that are taken for one unit; one
    value again and again; rounded numbers that a density would be ranked on; running numbers; columns that are the
    same; constants; and few rows.

    Args:
        data: a table or an array, in data units.
    """
    rows = rows_of(data)
    of_variables = [sign for variable in variables_of(data, rows) for sign in signs_in(variable)]
    found = [*of_variables, *_same(data, rows), *_mixed_scales(data, rows), *of_splits(data)]
    return together(found)


def _same(data: Dataset, x: np.ndarray) -> Iterator[Sign]:
    """Return the columns of a table, or the features of vectors, that are the same as others."""
    if len(data.event_shape) != 1 or x.shape[1] < 2:
        return iter(())
    low, high = extremes(x)
    columns = np.ascontiguousarray(x.T)
    names = [column.name for column in data.columns or ()] or [name_of(data, d) for d in range(len(columns))]
    remedy = "leave one of them out" if data.columns is None else 'role = "ignore" leaves one of them out'
    contents = ((names[d], columns[d].tobytes()) for d in np.flatnonzero(high > low).tolist())
    return same_columns(contents, remedy)


def _mixed_scales(data: Dataset, x: np.ndarray) -> Iterator[Sign]:
    """Return whether columns of an array have scales too different for one unit.

    Both ranges and standard deviations are looked at: at the edges of images values vary less often, and as far.
    """
    if data.columns is not None or data.units != "all" or data.bounds is not None or data.event_shape[-1] < 2:
        return
    of_last = x.reshape(-1, data.event_shape[-1])
    low, high = extremes(of_last)
    there = high > low
    scales = [(high - low)[there], spreads(of_last)[there]]
    if there.any() and (ratio := min(float(scale.max() / scale.min()) for scale in scales)) > MIXED:
        text = (
            f"the scales of columns differ by factors up to {ratio:.2g}, and all entries are taken for one unit: where "
            'columns have units of their own, units="column"'
        )
        yield Sign("mixed scales", "", text)
