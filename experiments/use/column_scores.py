"""What a model says of each column of a table, given the other entries of a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tabulate import tabulate
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.experiments.doors import require_kind
from obsvae.experiments.runs.run import Run
from obsvae.experiments.use.marginals import marginal_scores
from obsvae.experiments.use.rows import columns_of, on_the_grid
from obsvae.inference import ConditionalScores, Proposal, conditional_scores
from obsvae.inference.pieces import NOT_KEPT, Pieces
from obsvae.inference.processes.alone import ALONE, Processes

# Columns up to which each entry is scored given the others where nobody says.
FEW_COLUMNS = 100
# Rows below which a gain is not to be relied on.
FEW_ROWS = 20


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

    def __str__(self) -> str:
        """Return the table as text."""
        rows = [{title: None if v != v else v for title, v in row.items()} for row in self.table()]
        text = tabulate(rows, "keys", floatfmt=".3f", missingval="–")
        few = int((~np.isnan(self.marginal)).sum(0).max())
        return f"{text}\nFew entries: gains of {few} rows at most tell little" if few < FEW_ROWS else text

    @property
    def behind(self) -> tuple[str, ...]:
        """The columns of which the model says less than their own marginals, by two standard errors."""
        rows = [row for row in self.table() if row["entries"] >= FEW_ROWS]
        return tuple(row["column"] for row in rows if row["gain"] < -2.0 * row["standard error"])

    def columns(self) -> dict[str, np.ndarray]:
        """Return the score of each entry, ``(N,)`` by title."""
        return titled(self.names, self.conditional)

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


def column_scores(
    run: Run,
    x: Tensor,
    *,
    c: Tensor | None = None,
    particles: int = 500,
    proposal: Proposal | None = None,
    memory: int = 2**27,
    seed: int = 0,
    progress: bool = True,
    processes: Processes = ALONE,
    pieces: Pieces = NOT_KEPT,
) -> ColumnScores:
    """Score each entry of x ``(N, D)`` given the others of its row, beside its column's own marginal.

    Args:
        run: on a table; its data must be there, as the marginals are fitted to them.
        x: held-out rows in data units.
        c: their conditions ``(N, C)``; None where the run has none. The marginals know nothing of them.
        particles: K, for each row.
        proposal: where they come from; :class:`Refined` by default.
        memory: bound on the working memory in bytes.
        seed: of the particles.
        progress: show a progress bar.
        processes: that share the rows, where each calls this function alike; each returns all results.
        pieces: which keep what is computed of some rows at a time, see :func:`kept_pieces`.
    """
    require_kind(run, Run, "load_run(folder)")
    model, names = on_the_grid(run), tuple(column.name for column in columns_of(run))
    found = conditional_scores(
        model,
        run.guide,
        x,
        particles,
        c=c,
        proposal=proposal,
        memory=memory,
        seed=seed,
        progress=progress,
        processes=processes,
        pieces=pieces,
    )
    marginal = marginal_scores(run.config["observation"], run.data, x, seed=seed)
    measures = {name: measure.value for name, measure in model.observation.measures.items()}
    return ColumnScores(names, found, marginal, measures)


def wants_columns(run: Run, by_column: bool | None) -> bool:
    """Return whether entries are to be scored given the others: for tables of few columns, where nobody says.

    Raises:
        UsageError: where that is asked for, but the run is on an array.
    """
    columns = run.config["observed"]["columns"]
    if by_column and columns is None:
        raise UsageError("scores by column need a run on a table, whose columns have names; leave by_column out")
    return columns is not None and len(columns) <= FEW_COLUMNS if by_column is None else by_column


def titled(names: Sequence[str], scores: ConditionalScores) -> dict[str, np.ndarray]:
    """Return the scores of each column ``(N,)`` by the title that it has in files."""
    return {f"log p({name} | others)": scores.log_probability[:, d] for d, name in enumerate(names)}
