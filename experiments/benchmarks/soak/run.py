"""Works of many kinds in one process, one after another, with its memory after each."""

import gc
import itertools
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from obsvae.data import load
from obsvae.errors import UsageError
from obsvae.experiments.evaluation.evaluate import evaluate_run
from obsvae.experiments.runs.training import train_run
from obsvae.experiments.use.rows import rows_for
from obsvae.experiments.use.scores import score_rows
from obsvae.experiments.use.values import impute_rows

FAMILIES = (
    "normal:scale=shared",
    "normal:scale=decoder",
    "laplace",
    "student-t:df=decoder",
    "mixture:components=2,inner=normal,scale=shared",
    "poisson",
    "negative-binomial",
    "discretised:inner=logistic",
)
_COUNTS = ("poisson", "negative-binomial", "discretised")
_GUIDES = ("normal", "full-rank", "flow", "mixture:components=2")
# A turn in which steps are compiled comes this seldom: each takes seconds, and some memory of torch's own.
_COMPILED = 12


@dataclass(frozen=True)
class Moment:
    """A process after a turn.

    Attributes:
        turn: its number, from 1.
        seconds: since the start.
        what: was done.
        megabytes: of resident memory.
        objects: that Python's garbage collector knows.
    """

    turn: int
    seconds: float
    what: str
    megabytes: float
    objects: int


def soak(minutes: float, *, seed: int = 0) -> Iterator[Moment]:
    """Train, draw figures, evaluate, score and impute until the time is over, and return the memory after each turn.

    Families, guides, shapes and sizes vary from turn to turn, all by the seed; every third turn is on a table.

    Args:
        minutes: after which no turn begins.
        seed: of data and trainings.
    """
    resident_megabytes()  # or there is nothing to look at
    start = time.monotonic()
    for turn in itertools.count(1):
        with tempfile.TemporaryDirectory(prefix="obsvae-soak-") as folder:
            what = _turn(turn, np.random.default_rng((seed, turn)), Path(folder))
        gc.collect()
        seconds = time.monotonic() - start
        yield Moment(turn, seconds, what, resident_megabytes(), len(gc.get_objects()))
        if seconds > 60.0 * minutes:
            return


def resident_megabytes() -> float:
    """Return the resident memory of this process in MB."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        raise UsageError("resident memory is read from /proc, which Linux alone has; run this on Linux") from None
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _turn(turn: int, random: np.random.Generator, folder: Path) -> str:
    small: dict[str, Any] = {
        "epochs": int(random.integers(2, 5)),
        "batch_size": int(random.integers(20, 60)),
        "seed": turn,
    }
    hidden, latent = [int(random.integers(4, 40))], int(random.integers(1, 4))
    guide = _GUIDES[turn % len(_GUIDES)]
    is_table = turn % 3 == 0
    observation = "by-column" if is_table else FAMILIES[int(random.integers(len(FAMILIES)))]
    source = _table(random, folder) if is_table else _array(random, observation.startswith(_COUNTS))
    run = train_run(
        observation,
        load(source),
        folder / "run",
        latent=latent,
        hidden=hidden,
        guide=guide,
        compiled=turn % _COMPILED == 0,
        progress=False,
        **small,
    )
    evaluate_run(run, particles=int(random.integers(20, 60)), limit=10, check=5, progress=False)
    if is_table:
        rows = rows_for(run, source)
        score_rows(run, rows, reference=5, particles=20, progress=False)
        impute_rows(run, rows, 2, particles=20, progress=False)
    return f"{observation}, guide {guide}"


def _array(random: np.random.Generator, is_count: bool) -> np.ndarray:
    shape = int(random.integers(60, 200)), int(random.integers(2, 12))
    z = random.normal(size=(shape[0], 1))
    return random.poisson(np.exp(1 + 0.5 * z), shape) if is_count else z + random.normal(size=shape)


def _table(random: np.random.Generator, folder: Path) -> str:
    n, numbers = int(random.integers(60, 120)), int(random.integers(1, 4))
    z = random.normal(size=n)
    columns = {f"number {d}": z + random.normal(size=n) for d in range(numbers)}
    lines = [",".join([*columns, "visits", "colour"])]
    for i in range(n):
        values = ["" if random.random() < 0.1 else f"{values[i]:.3f}" for values in columns.values()]
        colour = "red" if z[i] + random.normal() > 0 else "blue"
        lines.append(",".join([*values, str(random.poisson(np.exp(1 + 0.5 * z[i]))), colour]))
    file = folder / "table.csv"
    file.write_text("\n".join(lines) + "\n")
    return str(file)
