"""The likelihood of held-out data, model beside model, by ArviZ."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import arviz as az
import numpy as np
import xarray as xr

from obsvae.errors import MeasureMismatch, UsageError
from obsvae.inference.likelihood.diagnostics import KHAT_LIMIT
from obsvae.inference.likelihood.result import LogLikelihood

if TYPE_CHECKING:
    import pandas as pd

_UNITS = ("unit", "data_unit")
_GRID = ("grid_low", "grid_step", "grid_levels")


def to_elpd(likelihood: LogLikelihood) -> az.ELPDData:
    """Return the log-likelihood of held-out data, for ``az.compare`` and ``az.plot_khat``.

    The data are held out, and the parameters fixed: log p(x) of a datum is its predictive density, and nothing is left
    out again. ``p``, the effective number of parameters, is not defined here. The standard error is that over data.
    ``az.compare`` takes exponentials of single data: where those are beyond some 700 nats its ``weight`` is void.

    Args:
        likelihood: of data that the model was not trained on. Those without an estimate make the sum NaN.
    """
    weights = likelihood.weights
    return _elpd(weights.estimate, weights.khat, likelihood.particles, bool(weights.flagged.any()))


def compare_trees(trees: Mapping[str, xr.DataTree]) -> "pd.DataFrame":
    """Rank models by log p(x) of the same held-out data, one row each, as ``az.compare`` does.

    The columns are those of ``az.compare``: elpd is the sum of ``log_marginal_likelihood`` of ``sample_stats``, the
    standard error of a difference is that of the paired data, the weights are by stacking, and ``diag_elpd`` counts the
    data whose k̂ is above 0.7. A lower bound (``is_bound``) is ranked as it is, on average too low.

    ``az.compare`` itself, given the trees, ranks how well features are predicted from the others of their datum, and
    ranks a density against a mass without a word.

    Args:
        trees: as :func:`obsvae.to_arviz` returns them, or as ``az.from_netcdf`` reads them, by name.

    Raises:
        MeasureMismatch: for a density beside a mass, in one of a table's columns too, or masses of the cells of
            different grids.
        UsageError: for fewer than two trees, trees without what :func:`obsvae.to_arviz` records, trees of different
            units or data, or with a datum that has no estimate.

    Reference: Yao, Vehtari, Simpson and Gelman, *Using stacking to average Bayesian predictive distributions*, Bayesian
    Analysis 2018 (the weights).
    """
    if len(trees) < 2:
        raise UsageError(f"a comparison needs at least two trees, but got {len(trees)}")
    found = {name: _Scores.of(name, tree) for name, tree in trees.items()}
    _require_equal_columns(found)
    _require_one_measure(found)
    for (first, one), (second, other) in combinations(found.items(), 2):
        names = repr(first), repr(second)
        _require_equal(names, one, other, _GRID, MeasureMismatch, "likelihoods of data on different grids")
        _require_equal(names, one, other, _UNITS, UsageError, "likelihoods in different units")
        if differ := _difference(one.x, other.x):
            raise UsageError(
                f"{first!r} and {second!r} hold {differ}: their likelihoods cannot be ranked; evaluate both on the "
                "same data, in the same units and order (the same --split and --limit)"
            )
    estimates = np.stack([scores.estimate for scores in found.values()])
    if not np.isfinite(estimates).all():
        model, datum = np.argwhere(~np.isfinite(estimates))[0]
        raise UsageError(
            f"datum {datum} of {list(found)[model]!r} has no estimate of log p(x); leave it out of all trees: "
            "tree.isel(datum=[...])"
        )
    if estimates.shape[1] < 2:
        raise UsageError("a comparison needs at least two data in each tree, but these hold one; evaluate more")
    table = az.compare({name: scores.elpd() for name, scores in found.items()}, method="pseudo-BMA")
    # A constant for each datum leaves the weights as they are, and keeps their exponentials within range.
    best = estimates.max(0)
    stacked = az.compare({name: scores.elpd(best) for name, scores in found.items()}, method="stacking")
    table["weight"] = stacked["weight"]
    return table


@dataclass(frozen=True)
class _Scores:
    """What a tree says of N data: x ``(N, *event)``, log p(x) and k̂ ``(N,)``."""

    attributes: Mapping[str, Any]
    x: np.ndarray
    estimate: np.ndarray
    khat: np.ndarray
    particles: int

    @classmethod
    def of(cls, name: str, tree: xr.DataTree) -> "_Scores":
        lacking = [group for group in ("sample_stats", "observed_data") if group not in tree.children]
        lacking += [attribute for attribute in ("measure", *_UNITS) if attribute not in tree.attrs]
        if lacking:
            raise UsageError(
                f"the tree {name!r} does not say what its numbers are: it lacks {', '.join(lacking)}; make it by "
                "to_arviz, or run obsvae evaluate again"
            )
        stats, x = (tree.children[group].to_dataset() for group in ("sample_stats", "observed_data"))
        estimate, khat = stats["log_marginal_likelihood"].values, stats["khat"].values
        return cls(
            {str(key): value for key, value in tree.attrs.items()},
            x["x"].values,
            estimate,
            khat,
            int(stats.attrs["particles"]),
        )

    def by_column(self) -> dict[str, str]:
        """Return the measure of each column in words, of masses with their grid; empty where there are no columns."""
        measures = json.loads(self.attributes.get("measure_by_column", "{}"))
        columns = json.loads(self.attributes.get("columns", "{}"))
        grids = {name: columns.get(name, {}).get("grid") for name in measures}
        return {
            name: measure if grids[name] is None or measure == "density" else f"{measure} of cells {grids[name]}"
            for name, measure in measures.items()
        }

    def elpd(self, shift: np.ndarray | float = 0.0) -> az.ELPDData:
        return _elpd(self.estimate - shift, self.khat, self.particles, not (self.khat <= KHAT_LIMIT).all())


def _elpd(estimate: np.ndarray, khat: np.ndarray, particles: int, warning: bool) -> az.ELPDData:
    n = len(estimate)
    datum = {"datum": np.arange(n)}
    return az.ELPDData(
        elpd=float(estimate.sum()),
        se=float(np.sqrt(n) * estimate.std(ddof=1)) if n > 1 else math.nan,
        p=math.nan,
        n_samples=particles,
        n_data_points=n,
        scale="log",
        warning=warning,
        good_k=KHAT_LIMIT,
        elpd_i=xr.DataArray(estimate, datum),
        pareto_k=xr.DataArray(khat, datum),
    )


def _require_equal_columns(found: Mapping[str, _Scores]) -> None:
    """Refuse two tables one of whose columns is of another measure, or has cells of another grid."""
    columns = {name: scores.by_column() for name, scores in found.items()}
    for (first, one), (second, other) in combinations(columns.items(), 2):
        for column, told in one.items():
            if other.get(column, told) != told:
                raise MeasureMismatch(
                    f"column {column!r} is a {told} ({first}) and a {other[column]} ({second}), which cannot be "
                    "ranked: take families of one measure for it, or declare its grid in the schema of both"
                )


def _require_one_measure(found: Mapping[str, _Scores]) -> None:
    examples: dict[str, str] = {}
    for name, scores in found.items():
        examples.setdefault(scores.attributes["measure"], name)
    if len(examples) > 1:
        named = " against ".join(f"a {measure} ({name})" for measure, name in examples.items())
        raise MeasureMismatch(
            f"{named} cannot be ranked: they are not of one measure; compare densities alone, or where the data lie on "
            "a grid make each tree of the masses of its cells, as obsvae evaluate does: "
            "to_arviz(model.with_observation(on_grid(model.observation, data.grids)), …)"
        )


def _require_equal(
    names: tuple[str, str], one: _Scores, other: _Scores, keys: tuple[str, ...], error: type[UsageError], what: str
) -> None:
    """Refuse two trees one of whose attributes differs; where one of them lacks it nothing is known against them."""
    for key in keys:
        values = [scores.attributes.get(key) for scores in (one, other)]
        if None not in values and values[0] != values[1]:
            raise error(
                f"{names[0]} has {key} = {values[0]} and {names[1]} {values[1]}: {what} cannot be ranked; evaluate "
                "both on the same data in the same units"
            )


def _difference(one: np.ndarray, other: np.ndarray) -> str:
    """Return in words how data differ; empty where they are equal."""
    if one.shape != other.shape:
        return f"data of shape {one.shape} and {other.shape}"
    unequal = ((one != other) & ~(np.isnan(one) & np.isnan(other))).reshape(len(one), -1).any(1)
    return f"data that differ, first in datum {np.argmax(unequal)}" if unequal.any() else ""
