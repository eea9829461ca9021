"""The errors of filled entries, as HI-VAE defines them."""

from collections.abc import Sequence

import numpy as np

from obsvae.data import Column, Kind


def column_errors(columns: Sequence[Column], x: np.ndarray, filled: np.ndarray, scored: np.ndarray) -> np.ndarray:
    r"""Return the error of each column over some entries (D,); NaN where a column has none.

    .. math::
        \text{levels without order: } \frac{1}{n} \sum_i [x_i \ne \hat x_i] \qquad
        \text{with an order: } \frac{1}{n} \sum_i \frac{|x_i - \hat x_i|}{C} \qquad
        \text{numbers: } \frac{\sqrt{\sum_i (x_i - \hat x_i)^2 / n}}{\max x - \min x}

    Args:
        columns: D of them; C is the number of declared levels, seen or not.
        x: the table (N, D), over which minima and maxima are taken; NaN for entries that are not known.
        filled: the same with other values in the entries to score.
        scored: which entries (N, D).

    Reference: Nazábal, Olmos, Ghahramani and Valera, *Handling incomplete heterogeneous data using VAEs*, Pattern
    Recognition 2020.
    """
    return np.array([_error(column, x[:, d], filled[:, d], scored[:, d]) for d, column in enumerate(columns)])


def _error(column: Column, x: np.ndarray, filled: np.ndarray, scored: np.ndarray) -> float:
    if not scored.any():
        return float("nan")
    true, guess = x[scored].astype(np.float64), filled[scored].astype(np.float64)
    if column.kind in (Kind.CATEGORY, Kind.BINARY):
        return float((true != guess).mean())
    distance = np.abs(true - guess)
    if column.kind is Kind.ORDINAL:
        assert column.grid is not None
        assert column.grid.levels is not None
        return float(distance.mean() / column.grid.levels)
    return float(np.sqrt(np.square(distance).mean()) / (np.nanmax(x) - np.nanmin(x)))
