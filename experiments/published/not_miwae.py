"""Table 1 of the paper on not-MIWAE: entries filled that are missing because of what they are."""

import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from obsvae.data.folder import data_folder
from obsvae.data.stored import Stored
from obsvae.data.tables.stored import stored_table
from obsvae.errors import UsageError
from obsvae.experiments.benchmarks.imputation.ours import Settings, fill
from obsvae.experiments.pair import make_pair
from obsvae.experiments.published.row import Row
from obsvae.inference import Amortised, fit, impute

NAME = "not-miwae"
REFERENCE = "Ipsen, Mattei and Frellsen, not-MIWAE, ICLR 2021, table 1"
PROTOCOL = """\
In the first half of the columns, the class left out, every value above the mean is hidden; root mean square
error of the filled entries, in standard deviations of the columns. The rows filled are the rows trained on.
MIWAE: tanh layers of 128 and 128 units, z of D - 1, minibatches of 16, K = 20, filled by the mean of 10,000
samples.
Differences: 30,000 steps of training where no others are asked for, theirs are 100,000; of their epochs the one
with the best bound is kept; weights are Pareto smoothed. MICE is scikit-learn's IterativeImputer, and
missForest the same with random forests of 100 trees, in 5 rounds. Theirs for MICE on breast cannot be
reproduced: the same program gives 0.95."""

HIDDEN = 128
PARTICLES = 20


@dataclass(frozen=True)
class Effort:
    """How much is done.

    Attributes:
        steps: of training.
        particles: K, for each row, when MIWAE fills it.
        seed: of all that is random.
    """

    steps: int = 30_000
    particles: int = 10_000
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Table:
    """A table with hidden entries.

    Attributes:
        name: of the data.
        x: standardised, complete, ``(N, D)``.
        seen: the same, with NaN for hidden entries.
        offset: mean of each column, in its own units.
        scale: standard deviation of each column.
    """

    name: str
    x: np.ndarray
    seen: np.ndarray
    offset: np.ndarray
    scale: np.ndarray

    def error(self, filled: np.ndarray) -> float:
        """Return the root mean square error over the hidden entries."""
        hidden = np.isnan(self.seen)
        return float(np.sqrt(np.mean((filled - self.x)[hidden] ** 2)))


def hide(name: str, raw: np.ndarray) -> Table:
    """Return a table ``(N, D)``, standardised, with what is above the mean hidden in the first half of the columns."""
    offset, scale = raw.mean(0), raw.std(0)
    x = (raw - offset) / scale
    half = np.arange(x.shape[1]) < x.shape[1] // 2
    return Table(name, x, np.where(half & (x > 0), np.nan, x), offset, scale)


def read(name: str) -> Table:
    """Return a table by its name in ``TABLES``.

    Raises:
        UsageError: where the data folder lacks its file.
    """
    return hide(name, TABLES[name]())


def _file(name: str, where: Callable[[Mapping[str, np.ndarray]], np.ndarray], columns: slice) -> np.ndarray:
    file = data_folder() / "tables" / name
    if not file.is_file():
        raise UsageError(f"the table needs the file {name} in {str(file.parent)!r}, but it is not there; put it there")
    with file.open(encoding="utf-8") as text:
        names = text.readline().strip().split(",")
        rows = np.loadtxt(text, delimiter=",")
    found = dict(zip(names, rows.T, strict=True))
    return rows[where(found), columns]


def _breast() -> np.ndarray:
    from sklearn.datasets import load_breast_cancer  # loads scikit-learn

    return np.asarray(load_breast_cancer().data)


TABLES: Mapping[str, Callable[[], np.ndarray]] = {
    "banknote": lambda: _file("banknote.csv", lambda of: np.full(len(of["class"]), True), slice(0, 4)),
    "red": lambda: _file("wine_quality.csv", lambda of: of["colour"] == 1, slice(0, 11)),
    "white": lambda: _file("wine_quality.csv", lambda of: of["colour"] == 2, slice(0, 11)),
    "breast": _breast,
}


def _mean(table: Table, effort: Effort) -> np.ndarray:
    return np.where(np.isnan(table.seen), np.nanmean(table.seen, 0), table.seen)


def _mice(table: Table, effort: Effort, *, trees: bool = False) -> np.ndarray:
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - scikit-learn hides it without this
    from sklearn.impute import IterativeImputer

    state = effort.seed % 2**32
    how = {"estimator": RandomForestRegressor(100, random_state=state), "max_iter": 5} if trees else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # after its usual ten rounds
        return np.asarray(IterativeImputer(random_state=state, **how).fit_transform(table.seen))


def _miwae(table: Table, effort: Effort) -> np.ndarray:
    x, rows = table.seen.astype(np.float32), np.arange(len(table.seen))
    # As theirs, it is trained on the rows that it fills; their bound chooses the epoch, which is one of the last.
    data = Stored(x, dict.fromkeys(("train", "validation", "test"), rows), has_missing=True).dataset(table.name)
    epochs = -(-effort.steps // -(-len(x) // 16))
    model, guide = make_pair(
        "normal:scale=decoder",
        data,
        latent=max(1, x.shape[1] - 1),
        hidden=(HIDDEN, HIDDEN),
        architecture="mlp:activation=tanh",
        seed=effort.seed,
    )
    objective = f"iwae:particles={PARTICLES}"
    history = fit(model, guide, data, epochs=epochs, batch_size=16, objective=objective, seed=effort.seed)
    if history.stopped == "interrupted":
        raise KeyboardInterrupt  # what was trained for less would be told as if it were not
    filled = impute(model, guide, data.train, 0, particles=effort.particles, proposal=Amortised(), seed=effort.seed)
    return filled.point


def _constant(table: Table, effort: Effort, *, largest: bool) -> np.ndarray:
    values = np.nanmax(table.seen, 0) if largest else np.zeros(table.seen.shape[1])
    return np.where(np.isnan(table.seen), values, table.seen)


def _families(table: Table, effort: Effort) -> np.ndarray:
    import pandas as pd  # takes half a second to load

    from obsvae.data.tables.readers.frames import table_of  # loads narwhals, which other tables do without

    raw = table.seen * table.scale + table.offset
    stored, _ = stored_table(table_of(pd.DataFrame(raw, columns=[f"x{d}" for d in range(raw.shape[1])]), table.name))
    settings = Settings(steps=min(effort.steps, Settings.steps), trial=min(effort.steps, Settings.trial))
    filled = fill(stored, stored.x.astype(np.float32), settings, effort.seed)
    return (filled.x - table.offset) / table.scale


Method = Callable[[Table, Effort], np.ndarray]
METHODS: Mapping[str, tuple[str, Method, Mapping[str, float]]] = {
    "mean": ("mean of what is seen", _mean, {"banknote": 1.73, "red": 1.83, "white": 1.74, "breast": 1.82}),
    "mice": ("MICE", _mice, {"banknote": 1.41, "red": 1.68, "white": 1.41, "breast": 1.17}),
    "missforest": (
        "missForest",
        partial(_mice, trees=True),
        {"banknote": 1.28, "red": 1.64, "white": 1.63, "breast": 1.57},
    ),
    "miwae": ("MIWAE", _miwae, {"banknote": 1.19, "red": 1.62, "white": 1.55, "breast": 1.20}),
    "mean-of-all": ("0, the mean with what is hidden", partial(_constant, largest=False), {}),
    "largest": ("the largest value seen", partial(_constant, largest=True), {}),
    "families": ("VAE with families chosen by entries held out", _families, {}),
}
TRAINED = ("miwae", "families")


def rows(tables: Sequence[str], methods: Sequence[str], effort: Effort) -> Iterator[Row]:
    """Fill tables by methods, named as in ``TABLES`` and ``METHODS``; return each row as soon as it is there."""
    for name in tables:
        table = read(name)
        for method in methods:
            title, filled_by, theirs = METHODS[method]
            start = time.perf_counter()
            filled = filled_by(table, effort)
            seconds = time.perf_counter() - start
            note = (
                f"at most {min(effort.steps, Settings.steps):,} steps"
                if method == "families"
                else f"{effort.steps:,} steps, {effort.particles:,} samples"
            )
            yield Row(
                NAME,
                name,
                title,
                "RMSE of hidden entries",
                theirs.get(name),
                table.error(filled),
                None,
                seconds,
                note if method in TRAINED else "",
            )
