"""Small works on a table, each of which goes on where it is begun again in the same folder."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from obsvae.data import load
from obsvae.data.tables.write import save_table
from obsvae.errors import UsageError
from obsvae.experiments.command_line.use import pieces_beside, save_values
from obsvae.experiments.comparison.compare import compare
from obsvae.experiments.evaluation.evaluate import evaluate_run
from obsvae.experiments.recommendation.recommend import recommend
from obsvae.experiments.runs.resuming import resume_run
from obsvae.experiments.runs.run import load_run
from obsvae.experiments.runs.training import train_run
from obsvae.experiments.use.rows import rows_for
from obsvae.experiments.use.scores import score_rows
from obsvae.experiments.use.values import impute_rows
from obsvae.inference.processes.alone import ALONE

TABLE, RUN = Path("table.csv"), Path("run")
_ROWS, _LEVELS = 100, ["low", "middle", "high"]
_SMALL: Mapping[str, Any] = {"latent": 1, "hidden": [8], "batch_size": 20}
_ESTIMATES: Mapping[str, Any] = {"particles": 40, "seed": 0}


def prepare(folder: Path) -> None:
    """Leave the table in a folder, two numbers with entries missing, a count and a level, all by one z."""
    random = np.random.default_rng(0)
    z = random.normal(size=_ROWS)
    columns = {"height": 170 + 5 * z + random.normal(size=_ROWS), "weight": 60 + 8 * z + 3 * random.normal(size=_ROWS)}
    for values in columns.values():
        values[random.random(_ROWS) < 0.1] = np.nan
    rounded = {name: values.round(2).tolist() for name, values in columns.items()}
    cells = {name: [None if v != v else v for v in values] for name, values in rounded.items()}
    levels = [_LEVELS[level] for level in np.digitize(z + 0.3 * random.normal(size=_ROWS), [-0.5, 0.5])]
    save_table(folder / TABLE, {**cells, "visits": random.poisson(np.exp(1 + 0.5 * z)).tolist(), "grade": levels})


def prepare_run(folder: Path) -> None:
    """Leave a trained run in a folder, too; it must be the current one."""
    prepare(folder)
    train_run("by-column", load(str(TABLE)), RUN, **_SMALL, epochs=20, compiled=False, progress=False)


def train() -> None:
    """Train a run; go on where it has a state, and begin anew where no epoch had ended."""
    if RUN.exists():
        try:
            resume_run(RUN, progress=False)
            return
        except UsageError as error:
            if "train it again" not in str(error) and "train the run again" not in str(error):
                if "ask for more" in str(error):  # there is nothing left to do
                    return
                raise
            shutil.rmtree(RUN)
    train_run("by-column", load(str(TABLE)), RUN, **_SMALL, epochs=12, compiled=False, progress=False)


def evaluate() -> None:
    """Evaluate the run."""
    evaluate_run(RUN, check=10, **_ESTIMATES, progress=False)


def score() -> None:
    """Score the rows of the table."""
    run, out = load_run(RUN), Path("scores.csv")
    rows = rows_for(run, TABLE)
    with pieces_beside(out, "scoring", run, {"new": (rows.x, rows.c)}, _ESTIMATES, ALONE) as pieces:
        save_table(out, score_rows(run, rows, reference=10, pieces=pieces, **_ESTIMATES, progress=False).columns)


def impute() -> None:
    """Fill the missing entries of the table."""
    run, out = load_run(RUN), Path("filled.csv")
    rows = rows_for(run, TABLE)
    with pieces_beside(out, "imputation", run, {"new": (rows.x, rows.c)}, _ESTIMATES, ALONE) as pieces:
        save_values(out, impute_rows(run, rows, 2, pieces=pieces, **_ESTIMATES, progress=False).point)


def compare_two() -> None:
    """Compare two families."""
    data = load(str(TABLE), schema={"columns": {name: {"role": "ignore"} for name in ("visits", "grade")}})
    small = {**_SMALL, "epochs": 4, "particles": 20}
    compare(["normal", "laplace"], data, seeds=1, out="compared", **small, progress=False)


def recommend_one() -> None:
    """Recommend a family for a column."""
    data = load(str(TABLE), schema={"columns": {"grade": {"observation": "ordinal", "levels": _LEVELS}}})
    small: dict[str, Any] = {"latent": 1, "hidden": [8], "epochs": 4, "patience": 4, "particles": 20}
    # With more time than it needs: where time runs out, numbers depend on the clock.
    recommend(data, minutes=600, seeds=1, out="recommended", columns=["grade"], **small, progress=False)


# Each work by the name of its command, with what it needs.
WORKS: Mapping[str, tuple[Callable[[], None], Callable[[Path], None]]] = {
    "train": (train, prepare),
    "evaluate": (evaluate, prepare_run),
    "score": (score, prepare_run),
    "impute": (impute, prepare_run),
    "compare": (compare_two, prepare),
    "recommend": (recommend_one, prepare),
}
