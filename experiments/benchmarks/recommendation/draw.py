"""Tables and arrays drawn from decoders with known heads."""

import zlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from obsvae.data import Dataset, load
from obsvae.experiments.benchmarks.recommendation.truths import TRUTHS, Truth
from obsvae.model import Observation, make_observation
from obsvae.modes import seeded

# Size of z, hidden units of the random functions of it, and features of an array.
LATENT, _HIDDEN, FEATURES = 2, 16, 8
# Number of draws of z over which the mean and the spread of a random function are taken.
_MEASURED = 4000
# Rows that are drawn for each one wanted: float32 rounds some to the edge of a support, which are left out.
_DRAWN = 1.2
# The columns of a table by name.
Columns = Mapping[str, np.ndarray]
_LEVELS = np.array(list("abcdefgh"))


def draw_array(name: str, rows: int, seed: int) -> np.ndarray:
    """Return an array ``(rows, FEATURES)`` whose features have one head, with functions of one z of their own.

    Whole numbers are integers, and two levels truth values, as people store them.

    Args:
        name: of the truth.
        rows: N.
        seed: of the functions and of the draws.
    """
    x = _drawn([TRUTHS[name]] * FEATURES, rows, _seed(seed, "array", name, rows))
    if name == "bernoulli":
        return x.astype(bool)
    return x.astype(np.int64) if _is_whole(x) else x


def draw_table(names: Sequence[str], rows: int, seed: int) -> Columns:
    """Return a column ``(rows,)`` for each of some truths, by whose names they go, of one z.

    Categories are letters, and levels with an order numbers from 1.

    Args:
        names: of the truths.
        rows: N.
        seed: of the functions and of the draws.
    """
    x = _drawn([TRUTHS[name] for name in names], rows, _seed(seed, "table", *names, rows))
    columns: dict[str, np.ndarray] = {}
    for name, column in zip(names, x.T, strict=True):
        columns[name] = column.astype(np.int64) if _is_whole(column) else column
        if name == "categorical":
            columns[name] = _LEVELS[columns[name]]
        elif name == "ordinal":
            columns[name] = 1 + columns[name]
    return columns


def loaded(x: np.ndarray | Columns) -> Dataset:
    """Return drawn data, an array or the columns of a table, as a dataset of which nothing is declared."""
    if isinstance(x, np.ndarray):
        return load(x)
    import pandas  # tables in memory are its frames

    return load(pandas.DataFrame(dict(x)))


def _drawn(truths: Sequence[Truth], rows: int, seed: int) -> np.ndarray:
    """Return a column for each truth, ``(rows, D)`` in float32, of one z for each row."""
    with seeded(seed, torch.device("cpu")), torch.no_grad():
        z, columns, inside = torch.randn(int(_DRAWN * rows), LATENT), list[Tensor](), list[Tensor]()
        for truth in truths:
            outputs = [_smooth()(z) * gain + offset for gain, offset in zip(truth.gains, truth.offsets, strict=True)]
            made: Observation = make_observation(truth.observation)
            x = made(torch.stack(outputs, -1).unsqueeze(-2)).sample()[:, 0]  # from outputs (rows, 1, outputs)
            inside.append(~made.is_outside(x))
            columns.append(torch.round(x / truth.step) * truth.step if truth.step else x)
        kept = torch.stack(inside).all(0)
        return torch.stack(columns, -1)[kept][:rows].numpy()


def _smooth() -> Callable[[Tensor], Tensor]:
    """Return a random smooth function of z ``(N, LATENT)``, of mean 0 and variance 1 over z."""
    weights, shifts = 1.2 * torch.randn(LATENT, _HIDDEN), torch.randn(_HIDDEN)
    heights = torch.randn(_HIDDEN)

    def rough(z: Tensor) -> Tensor:
        return torch.tanh(z @ weights + shifts) @ heights

    measured = rough(torch.randn(_MEASURED, LATENT))
    mean, spread = measured.mean(), measured.std()
    return lambda z: (rough(z) - mean) / spread


def _is_whole(x: np.ndarray) -> bool:
    return bool((x == np.rint(x)).all())


def _seed(seed: int, *names: object) -> int:
    return zlib.crc32("/".join(map(str, [seed, *names])).encode())
