"""Rows scored: log p of each, its place among held-out rows, and what each entry says given the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.experiments.evaluation.per_datum import per_datum_columns
from obsvae.experiments.run import Run
from obsvae.experiments.use.marginals import marginal_scores
from obsvae.experiments.use.rows import Rows, columns_of, on_the_grid
from obsvae.inference import ConditionalScores, WeightDiagnostics, conditional_scores, log_likelihood
from obsvae.inference.modes import device_of

# Columns up to which each entry is scored given the others where nobody says.
FEW_COLUMNS = 100


@dataclass(frozen=True)
class ColumnScores:
    """What a model says of each column of held-out rows, given the other entries of a row.

    Attributes:
        names: of the columns.
        conditional: scores of the entries that are seen.
        marginal: the same by each column's own marginal, ``(N, D)``.
        measures: by column.
    """

    names: tuple[str, ...]
    conditional: ConditionalScores
    marginal: np.ndarray
    measures: Mapping[str, str]

    def table(self) -> list[dict[str, Any]]:
        """Return a row for each column: the means, the gain over the marginal, and how many entries they rest on.

        A gain near 0 says that the model has learned nothing of the column from the others.
        """
        rows = []
        for d, name in enumerate(self.names):
            score, seen = self.conditional.log_probability[:, d], ~np.isnan(self.conditional.log_probability[:, d])
            n, gain = int(seen.sum()), (score - self.marginal[:, d])[seen]
            rows.append(
                {
                    "column": name,
                    "given the others": float(score[seen].mean()) if n else np.nan,
                    "by itself": float(self.marginal[seen, d].mean()) if n else np.nan,
                    "gain": float(gain.mean()) if n else np.nan,
                    "standard error": float(gain.std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan,
                    "measure": self.measures[name],
                    "entries": n,
                    "flagged": int(self.conditional.flagged[:, d].sum()),
                }
            )
        return rows


@dataclass(frozen=True)
class RowScores:
    """Rows scored by a run.

    Attributes:
        weights: log p of the entries that are seen of each row, with its diagnostics.
        percentile: share of the held-out rows of the run's data with a lower log p, in per cent, ``(N,)``; None where
            these data are not there.
        conditional: of each entry given the others, or None where that was not asked for.
        held_out: of each column of the held-out rows, likewise.
        columns: what a file of scores holds, by title.
    """

    weights: WeightDiagnostics
    percentile: np.ndarray | None
    conditional: ConditionalScores | None
    held_out: ColumnScores | None
    columns: dict[str, Any]


def column_scores(
    run: Run,
    x: Tensor,
    *,
    particles: int = 500,
    memory: int = 2**27,
    seed: int = 0,
    progress: bool = True,
) -> ColumnScores:
    """Score each entry of x ``(N, D)`` given the others of its row, beside its column's own marginal.

    Args:
        run: on a table; its data must be there, as the marginals are fitted to them.
        x: held-out rows in data units.
        particles: K, for each row.
        memory: bound on the working memory in bytes.
        seed: of the particles.
        progress: show a progress bar.
    """
    model, names = on_the_grid(run), tuple(column.name for column in columns_of(run))
    found = conditional_scores(model, run.guide, x, particles, memory=memory, seed=seed, progress=progress)
    marginal = marginal_scores(run.config["observation"], run.data, x, seed=seed)
    measures = {name: measure.value for name, measure in model.observation.measures.items()}
    return ColumnScores(names, found, marginal, measures)


def score_rows(
    run: Run,
    rows: Rows,
    *,
    by_column: bool | None = None,
    reference: int = 500,
    particles: int = 500,
    memory: int = 2**27,
    seed: int = 0,
    progress: bool = True,
) -> RowScores:
    """Score rows by a run.

    Args:
        run: the run.
        rows: as :func:`rows_for` returns them.
        by_column: whether to score each entry given the others; by default for tables of at most 100 columns.
        reference: number of held-out rows of the run's data (validation and test) among which each row is placed; 0:
            none, such as where these data are gone.
        particles: K, for each row.
        memory: bound on the working memory in bytes.
        seed: of the particles.
        progress: show progress bars.

    Raises:
        UsageError: where the data of the run are not there, and a reference is asked for.
    """
    model = on_the_grid(run)
    how: dict[str, Any] = {"memory": memory, "seed": seed, "progress": progress}
    is_table = run.config["schema"] is not None
    by_column = is_table and rows.x.shape[1] <= FEW_COLUMNS if by_column is None else by_column
    if by_column and not is_table:
        raise UsageError("scores by column need a run on a table, whose columns have names; leave by_column out")
    known = torch.cat([run.data.validation, run.data.test])[:reference].to(device_of(model)) if reference else None
    if by_column:
        conditional = conditional_scores(model, run.guide, rows.x, particles, **how)
        weights = conditional.whole
    else:
        conditional, weights = None, log_likelihood(model, run.guide, rows.x, particles, **how).weights
    columns = {**rows.identity(), **per_datum_columns(weights), "missing": _missing(rows.x)}
    percentile = held_out = None
    if known is not None:
        if by_column:
            held_out = column_scores(run, known, particles=particles, **how)
            placed = held_out.conditional.whole.estimate
        else:
            placed = log_likelihood(model, run.guide, known, particles, **how).weights.estimate
        percentile = 100 * (np.sort(placed).searchsorted(weights.estimate) / len(placed))
        columns["percentile"] = percentile
    if conditional is not None:
        if held_out is not None:
            columns["odd"] = _odd(conditional, held_out)
        for d, column in enumerate(columns_of(run)):
            columns[f"log p({column.name} | others)"] = conditional.log_probability[:, d]
        columns["flagged entries"] = conditional.flagged.sum(1)
    return RowScores(weights, percentile, conditional, held_out, columns)


def _missing(x: Tensor) -> np.ndarray:
    """Return how many entries of each row are missing, ``(N,)``."""
    return torch.isnan(x).flatten(1).sum(1).cpu().numpy()


def _odd(conditional: ConditionalScores, held_out: ColumnScores) -> list[str]:
    """Return the column of each row whose score is lowest, by the spread of the column's scores in held-out rows.

    Densities of columns in different units do not compare; how low a score is for its column does.
    """
    known = held_out.conditional.log_probability
    with np.errstate(invalid="ignore", divide="ignore"):
        place = np.stack(
            [
                np.sort(known[:, d][~np.isnan(known[:, d])]).searchsorted(conditional.log_probability[:, d])
                / max(1, int((~np.isnan(known[:, d])).sum()))
                for d in range(known.shape[1])
            ],
            1,
        )
        distance = (conditional.log_probability - np.nanmean(known, 0)) / np.nanstd(known, 0)
    # Of columns that are below all held-out rows the farthest.
    order = place + 1e-6 * np.tanh(np.nan_to_num(distance) / 100)
    order[np.isnan(conditional.log_probability)] = np.inf
    return [held_out.names[int(np.argmin(row))] if np.isfinite(row).any() else "" for row in order]
