"""Predictive checks of a table, column by column and pair by pair."""

import numpy as np

from obsvae import inference  # a figure loads matplotlib when it is first asked for
from obsvae.errors import UsageError
from obsvae.experiments.evaluation.tables import short
from obsvae.experiments.reporting.page import Picture, Table, picture
from obsvae.experiments.reporting.subject import Subject
from obsvae.experiments.reporting.tables.cells import columns_of
from obsvae.inference import ColumnFit, Predictive, check_predictive, column_fits, pair_fits
from obsvae.inference.columns import is_ordered

_SHOWN = 12


def predictive(subject: Subject) -> list[Picture | Table]:
    """Draw held-out columns beside samples from the model, and tell how far off each is."""
    check, columns = _check(subject), columns_of(subject)
    found: list[Picture | Table] = []
    if ordered := [d for d, column in enumerate(columns) if is_ordered(column)]:
        of = Predictive(check.observed[:, ordered], check.simulated[:, ordered], check.seed)
        text = f"{len(subject.x)} held-out rows and {len(check.simulated)} from the model, of columns with an order."
        found.append(picture(inference.plot_transforms(of), "Ranks of held-out values", text))
    fits = column_fits(check, columns)
    beyond = [fit.name for fit in fits if fit.misfit > 1]
    text = (
        "How far the held-out values of each column are from those drawn: by the greatest difference of the "
        "distribution functions (Kolmogorov), of levels without order by half the sum of the differences of their "
        "shares (total variation). Divided by the bound that a right model passes one time in twenty: of "
        f"{len(fits)} columns {0.05 * len(fits):.1f} are beyond by chance. Beyond here: {', '.join(beyond) or 'none'}."
    )
    found.append(picture(inference.plot_column_fits(fits), "Misfit by column", text))
    which = (
        f"The {_SHOWN} columns of {len(fits)} that fit worst" if len(fits) > _SHOWN else "Each column, the worst first"
    )
    text = (
        f"{which}. Upright lines: where 19 of 20 shares of as many held-out rows lie, cell by cell, if the model is "
        "right. Only entries that are seen count. Axes are logarithmic where positive numbers are skewed."
    )
    found.append(picture(inference.plot_columns(check, columns, fits, _SHOWN), "Columns, observed against drawn", text))
    names = ("column", "entries seen", "distance", "bound of chance", "their ratio", "within 50 %", "within 90 %")
    return [*found, Table("All columns:", names, [_row(fit) for fit in fits])]


def pairs(subject: Subject) -> list[Picture]:
    """Draw pairs of columns, observed beside drawn."""
    check, columns = _check(subject), columns_of(subject)
    if len(columns) < 2:
        raise UsageError("pairs need at least two columns, but the table has one")
    found = pair_fits(check, columns)
    measured = (
        "Cramér's V, corrected for its bias, is 0 for columns that do not depend on one another and 1 where each tells "
        "the other. Numbers are cut at their quintiles, so that no misfit of a single column counts. Of the model: "
        f"median and range of V in {_sets(check)} sets of as many rows, with as many missing entries"
    )
    text = f"{measured}. Above the diagonal: the model makes too much of a dependence; below it: too little."
    several = picture(inference.plot_dependence(found, columns), "Dependence of all pairs", text)
    text = (
        "The columns of the strongest dependence in the held-out data, five at most: the data, and beside them as many "
        "rows from the model. Bars are medians; percentages are of the rows that have both. A V in red: that of the "
        "data is beyond the range of the model's."
    )
    return [several, picture(inference.plot_pairs(check, columns, found), "Pairs of columns, observed and drawn", text)]


def _check(subject: Subject) -> Predictive:
    return check_predictive(subject.model, subject.x, seed=subject.seed, c=subject.c)


def _sets(check: Predictive) -> int:
    return min(20, len(check.simulated) // len(check.observed))


def _row(fit: ColumnFit) -> list[str]:
    numbers = (fit.distance, fit.bound, fit.misfit if fit.n else np.nan)
    within = ("–" if np.isnan(share) else f"{share:.0%}" for share in fit.coverage)
    return [fit.name, str(fit.n), *(short(float(number), ".2f") for number in numbers), *within]
