"""Rows filled, reproduced and drawn, in the words of the user; and rows encoded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from obsvae.data import Column
from obsvae.data.tables.decode import decoded
from obsvae.experiments.doors import require_kind
from obsvae.experiments.runs.run import Run
from obsvae.experiments.use.points import points_of
from obsvae.experiments.use.rows import Rows, columns_of, constant_conditions, on_the_grid
from obsvae.inference import impute
from obsvae.inference.entries.particles import Particles, by_particles
from obsvae.inference.latents.draws import simulate
from obsvae.inference.modes import device_of, unchecked
from obsvae.inference.pieces import NOT_KEPT, Piece, Pieces
from obsvae.inference.processes.alone import ALONE, Processes
from obsvae.modes import evaluating, seeded
from obsvae.whole_numbers import whole

# A table by column, or an array.
Values = dict[str, Any] | np.ndarray


@dataclass(frozen=True)
class Filled:
    """Rows whose missing entries are filled.

    Attributes:
        point: with one value in each: the columns of the source in its order, or an array.
        draws: imputations, one below another with their number (from 1) in the first column, ``imputation``; an array
            ``(M, N, *event)``; None where none were asked for.
        filled: number of entries that were missing.
        flagged: number of rows whose particles are not to be trusted.
    """

    point: Values
    draws: Values | None
    filled: int
    flagged: int


def impute_rows(
    run: Run,
    rows: Rows,
    draws: int = 20,
    *,
    particles: int = 500,
    memory: int = 2**27,
    seed: int = 0,
    progress: bool = True,
    processes: Processes = ALONE,
    pieces: Pieces = NOT_KEPT,
) -> Filled:
    """Fill the missing entries of rows, and leave all that is seen as it stands in the source.

    Args:
        run: the run.
        rows: as :func:`rows_for` returns them.
        draws: M, the number of imputations; 0: point values alone.
        particles: K, for each row.
        memory: bound on the working memory in bytes.
        seed: of particles and draws.
        progress: show a progress bar.
        processes: that share the rows, where each calls this function alike; each returns all results.
        pieces: which keep what is computed of some rows at a time, see :func:`kept_pieces`.
    """
    require_kind(run, Run, "load_run(folder)")
    require_kind(rows, Rows, "rows_for(run, source)")
    whole("draws", draws, least=0)
    found = impute(
        on_the_grid(run),
        run.guide,
        rows.x,
        draws,
        c=rows.c,
        points=_points(run),
        particles=particles,
        memory=memory,
        seed=seed,
        progress=progress,
        processes=processes,
        pieces=pieces,
    )
    holes = torch.isnan(rows.x).cpu().numpy()
    flagged, filled = int(found.flagged.sum()), int(holes.sum())
    if rows.table is None:
        return Filled(found.point, found.draws if draws else None, filled, flagged)
    columns = columns_of(run)
    below = [_in_place(rows, columns, x, holes) for x in found.draws]
    together: Values | None = None
    if below:
        numbers = np.repeat(np.arange(1, draws + 1), len(rows.x))
        identity = {title: np.concatenate([np.asarray(v)] * draws) for title, v in rows.identity().items()}
        clear = {title: values for title, values in identity.items() if title not in below[0]}
        values = {name: [v for one in below for v in one[name]] for name in below[0]}
        together = {"imputation": numbers, **clear, **values}
    return Filled(_in_place(rows, columns, found.point, holes), together, filled, flagged)


def reproduce_rows(
    run: Run, rows: Rows, *, particles: int = 500, memory: int = 2**27, seed: int = 0, progress: bool = True
) -> Values:
    """Return each row as the model reproduces it, every entry by its point value; arguments as for :func:`impute_rows`.

    Returns:
        The columns that the model observes by name, after ``row`` (and ``name``), or an array ``(N, *event)``.
    """
    require_kind(run, Run, "load_run(folder)")
    require_kind(rows, Rows, "rows_for(run, source)")
    found = impute(
        on_the_grid(run),
        run.guide,
        rows.x,
        0,
        c=rows.c,
        points=_points(run),
        everywhere=True,
        particles=particles,
        memory=memory,
        seed=seed,
        progress=progress,
    )
    if rows.table is None:
        return found.point
    values = decoded(found.point, columns_of(run))
    return {**{title: v for title, v in rows.identity().items() if title not in values}, **values}


def encode_rows(
    run: Run, rows: Rows, *, particles: int = 500, memory: int = 2**27, seed: int = 0, progress: bool = True
) -> dict[str, Any]:
    """Return mean and standard deviation of p(z | x) of each row, by weighted particles; as for :func:`impute_rows`.

    Returns:
        ``row`` (and ``name``), ``z1`` …, ``sd1`` …, and of the weights ``ess``, ``khat`` and ``flagged``.
    """
    require_kind(run, Run, "load_run(folder)")
    require_kind(rows, Rows, "rows_for(run, source)")
    model = on_the_grid(run)
    how: dict[str, Any] = {"c": rows.c, "memory": memory, "seed": seed, "progress": progress, "doing": "encoding"}
    found = [piece for _, piece in by_particles(model, run.guide, rows.x, particles, _moments, **how)]
    mean, spread, *weights = (np.concatenate([piece[name] for piece in found]) for name in found[0])
    named = {f"z{d + 1}": values for d, values in enumerate(mean.T)}
    named |= {f"sd{d + 1}": values for d, values in enumerate(spread.T)}
    return {**rows.identity(), **named, **dict(zip(("ess", "khat", "flagged"), weights, strict=True))}


def _moments(some: Particles) -> Piece:
    w, of = some.weights.unsqueeze(-1).to(some.z.dtype), some.diagnostics
    mean = (w * some.z).sum(0)
    spread = (w * (some.z - mean).square()).sum(0).sqrt()
    moments = {"mean": mean.cpu().numpy(), "spread": spread.cpu().numpy()}
    return {**moments, "ess": of.ess, "khat": of.khat, "flagged": of.flagged.astype(int)}


def sample_rows(run: Run, n: int, *, given: Mapping[str, Any] | None = None, seed: int = 0) -> Values:
    """Draw rows from the model: z from its prior, and x given z and the conditions, if there are any.

    Args:
        run: the run.
        n: how many rows.
        given: a value of each condition, by name.
        seed: of the draws.

    Returns:
        The columns that the model observes by name, or an array ``(n, *event)``.
    """
    require_kind(run, Run, "load_run(folder)")
    whole("n", n)
    model, c = on_the_grid(run), constant_conditions(run, given or {}, n)
    model.require_likelihood()
    with torch.no_grad(), evaluating(model), unchecked(), seeded(seed, device_of(model)):
        _, x = simulate(model, n, c=c)
    drawn = x.cpu().numpy()
    return drawn if run.config["schema"] is None else decoded(drawn, columns_of(run))


def _points(run: Run) -> list[Any] | None:
    return None if run.config["schema"] is None else points_of(columns_of(run))


def _in_place(rows: Rows, columns: Sequence[Column], x: np.ndarray, holes: np.ndarray) -> dict[str, list[Any]]:
    """Return the columns of the source with values in the place of its holes; all else as it stands there."""
    assert rows.table is not None
    values = {name: of_column.tolist() for name, of_column in decoded(x, columns).items()}
    place = {column.name: d for d, column in enumerate(columns)}
    found: dict[str, list[Any]] = {}
    for name, raw in rows.table.columns.items():
        values_of = raw.values.tolist()
        found[name] = [int(v) if raw.is_whole and v == v else v for v in values_of] if not raw.is_text else values_of
        if name in place:
            hole = holes[:, place[name]]
            for row in np.flatnonzero(hole):
                found[name][row] = values[name][row]
    return found
