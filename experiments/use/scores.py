"""Rows scored: log p of each, its place among held-out rows, and what each entry says given the others."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from obsvae.experiments.doors import require_kind
from obsvae.experiments.evaluation.per_datum import per_datum_columns
from obsvae.experiments.runs.run import Run
from obsvae.experiments.use.column_scores import ColumnScores, column_scores, titled, wants_columns
from obsvae.experiments.use.rows import Rows, columns_of, on_the_grid
from obsvae.inference import ConditionalScores, WeightDiagnostics, conditional_scores, log_likelihood
from obsvae.inference.modes import device_of
from obsvae.inference.pieces import NOT_KEPT, Pieces
from obsvae.inference.processes.alone import ALONE, Processes
from obsvae.whole_numbers import whole


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
    processes: Processes = ALONE,
    pieces: Pieces = NOT_KEPT,
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
        processes: that share the rows, where each calls this function alike; each returns all results.
        pieces: which keep what is computed of some rows at a time, see :func:`kept_pieces`.

    Raises:
        UsageError: where the data of the run are not there, and a reference is asked for.
    """
    require_kind(run, Run, "load_run(folder)")
    require_kind(rows, Rows, "rows_for(run, source)")
    whole("reference", reference, least=0)
    model = on_the_grid(run)
    how: dict[str, Any] = {"memory": memory, "seed": seed, "progress": progress, "processes": processes}
    by_column = wants_columns(run, by_column)
    known, known_c = held_out_rows(run, reference) if reference else (None, None)
    of_rows, of_known = pieces.part("rows"), pieces.part("held-out")
    if by_column:
        conditional = conditional_scores(model, run.guide, rows.x, particles, c=rows.c, **how, pieces=of_rows)
        weights = conditional.whole
    else:
        conditional = None
        weights = log_likelihood(model, run.guide, rows.x, particles, c=rows.c, **how, pieces=of_rows).weights
    columns = {**rows.identity(), **per_datum_columns(weights), "missing": _missing(rows.x)}
    percentile = held_out = None
    if known is not None:
        if by_column:
            held_out = column_scores(run, known, c=known_c, particles=particles, **how, pieces=of_known)
            placed = held_out.conditional.whole.estimate
        else:
            found = log_likelihood(model, run.guide, known, particles, c=known_c, **how, pieces=of_known)
            placed = found.weights.estimate
        percentile = 100 * (np.sort(placed).searchsorted(weights.estimate) / len(placed))
        percentile[torch.isnan(rows.x).flatten(1).all(1).cpu().numpy()] = np.nan  # of nothing nothing can be said
        columns["percentile"] = percentile
    if conditional is not None:
        if held_out is not None:
            columns["odd"], columns["odd percentile"] = _odd(conditional, held_out)
        columns |= titled([column.name for column in columns_of(run)], conditional)
        columns["flagged entries"] = conditional.flagged.sum(1)
    return RowScores(weights, percentile, conditional, held_out, columns)


def held_out_rows(run: Run, reference: int) -> tuple[Tensor, Tensor | None]:
    """Return the first rows of a run's validation and test data, among which others are placed, and their conditions.

    The conditions are None where there are none.
    """
    device, data = device_of(run.model), run.data
    known = torch.cat([data.validation, data.test])[:reference].to(device)
    if not data.given:
        return known, None
    return known, torch.cat([data.given["validation"], data.given["test"]])[:reference].to(device)


def _missing(x: Tensor) -> np.ndarray:
    """Return how many entries of each row are missing, ``(N,)``."""
    return torch.isnan(x).flatten(1).sum(1).cpu().numpy()


def _odd(conditional: ConditionalScores, held_out: ColumnScores) -> tuple[list[str], np.ndarray]:
    """Return the column of each row whose score is lowest among those of held-out rows, and its percentile there.

    Densities of columns in different units do not compare; how low a score is for its column does. Of columns that are
    below all held-out rows it is the one that is farthest, by the spread of its scores. Empty and NaN where nothing is
    seen.
    """
    known, scores = held_out.conditional.log_probability, conditional.log_probability
    place, distance = np.full(scores.shape, np.nan), np.full(scores.shape, np.nan)
    for d in range(scores.shape[1]):
        of_column = np.sort(known[:, d][~np.isnan(known[:, d])])
        if len(of_column):
            place[:, d] = np.where(
                np.isnan(scores[:, d]), np.nan, of_column.searchsorted(scores[:, d]) / len(of_column)
            )
            distance[:, d] = (scores[:, d] - of_column.mean()) / max(of_column.std(), 1e-9)
    order = np.where(np.isnan(place), np.inf, place + 1e-6 * np.tanh(distance / 100))
    lowest = order.argmin(1)
    percentile = 100 * np.take_along_axis(place, lowest[:, None], 1)[:, 0]
    seen = np.isfinite(order.min(1))
    return [held_out.names[d] if known else "" for d, known in zip(lowest, seen, strict=True)], percentile
