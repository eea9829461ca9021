"""Other programs that fill missing entries: means, and scikit-learn's imputers."""

import warnings
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - scikit-learn hides it without this
from sklearn.impute import IterativeImputer, KNNImputer

from obsvae.data import Column, Kind
from obsvae.data.tables.schemas.families import LEVELS
from obsvae.errors import UsageError
from obsvae.experiments.benchmarks.imputation.encoding import Encoding

# Columns, a table (N, D) with NaN, and a seed, to the table filled.
Peer = Callable[[Sequence[Column], np.ndarray, int], np.ndarray]
TREES, LEAF, ROUNDS = 30, 3, 4
ROUNDING = 1e-9  # of a sum of shares of trees


def mean_or_mode(columns: Sequence[Column], x: np.ndarray, seed: int = 0) -> np.ndarray:
    """Fill numbers with their mean, and levels, with an order or without, with the most frequent one.

    Args:
        columns: of the table.
        x: the table (N, D); NaN where an entry is missing.
        seed: nothing is random here.

    """
    filled = x.astype(np.float64)
    for d, column in enumerate(columns):
        holes = np.isnan(filled[:, d])
        seen = filled[~holes, d]
        filled[holes, d] = np.bincount(seen.astype(np.int64)).argmax() if column.kind in LEVELS else seen.mean()
    return filled


def nearest(columns: Sequence[Column], x: np.ndarray, seed: int = 0) -> np.ndarray:
    """Fill from the five nearest rows: numbers standardised, and a number for each level of a category."""
    encoding = Encoding(columns, x, one_hot=True)
    return encoding.decoded(KNNImputer().fit_transform(encoding.encoded(x)))


def ridge(columns: Sequence[Column], x: np.ndarray, seed: int = 0) -> np.ndarray:
    """Fill by regressions of each column on all others, in turn.

    Values stay between the least and the greatest that are seen of a column. A category of two levels is a number. Of
    one with more, the numbers of its levels would explain one another.

    Raises:
        UsageError: for a category with more levels.
    """
    for column in columns:
        if column.kind is Kind.CATEGORY:
            raise UsageError(
                f"regressions in turn need categories of two levels, but {column.name!r} has more: leave it out"
            )
    encoding = Encoding(columns, x, one_hot=False)
    u = encoding.encoded(x)
    limits = {"min_value": np.nanmin(u, 0), "max_value": np.nanmax(u, 0)}
    imputer = IterativeImputer(max_iter=20, tol=1e-2, random_state=seed % 2**32, **limits)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of the last digits, after 20 rounds
        return encoding.decoded(imputer.fit_transform(u))


def trees(columns: Sequence[Column], x: np.ndarray, seed: int = 0) -> np.ndarray:
    """Fill by random trees for each column given all others, in turn: the loop of missForest, levels as classes.

    Of levels with an order the median is taken, by which the distance is least.

    Reference: Stekhoven and Bühlmann, *MissForest*, Bioinformatics 2012.
    """
    holes, filled = np.isnan(x), mean_or_mode(columns, x)
    encoding = Encoding(columns, x, one_hot=True)
    options = {"n_estimators": TREES, "max_features": "sqrt", "min_samples_leaf": LEAF, "random_state": seed % 2**32}
    for _ in range(ROUNDS):
        for d in np.argsort(holes.sum(0), kind="stable"):
            wanted = holes[:, d]
            if not wanted.any():
                continue
            others = np.delete(encoding.encoded(filled), encoding.places[d], 1)
            kind = ExtraTreesClassifier if columns[d].kind in LEVELS else ExtraTreesRegressor
            found = kind(**options).fit(others[~wanted], filled[~wanted, d])
            if columns[d].kind is Kind.ORDINAL:
                at_most = found.predict_proba(others[wanted]).cumsum(1)
                filled[wanted, d] = found.classes_[(at_most < 0.5 - ROUNDING).sum(1)]
            else:
                filled[wanted, d] = found.predict(others[wanted])
    return filled


PEERS: Mapping[str, Peer] = {"mean or mode": mean_or_mode, "KNN": nearest, "ridge": ridge, "trees": trees}
