"""A table of every kind of column, drawn from two latent numbers."""

import numpy as np

from obsvae.data import Column, Grid, Kind
from obsvae.data.splits import drawn
from obsvae.data.stored import Stored

COLUMNS = (
    Column("length, mm", Kind.REAL, "normal"),
    Column("price", Kind.POSITIVE, "log-normal", unit="USD"),
    Column("share", Kind.PROPORTION, "logit-normal", bounds=(0.0, 2.0)),
    Column("wind", Kind.ANGLE, "von-mises", bounds=(0.0, 360.0), unit="degrees"),
    Column("visits", Kind.COUNT, "negative-binomial", grid=Grid(0.0, 1.0, None), is_whole=True),
    Column("is new", Kind.BINARY, "bernoulli", grid=Grid(0.0, 1.0, 2), levels=("no", "yes")),
    Column("colour", Kind.CATEGORY, "categorical", grid=Grid(0.0, 1.0, 4), levels=("blue", "green", "red", "white")),
    Column("grade", Kind.ORDINAL, "ordinal", grid=Grid(0.0, 1.0, 3), levels=("low", "middle", "high")),
    Column("weight", Kind.POSITIVE, "log-normal", grid=Grid(0.0, 1.0, None), is_whole=True),
    Column("rain", Kind.POSITIVE, "zero-inflated:inner=log-normal"),
    Column("temperature", Kind.REAL, "normal", unit="K"),
)


def mixed(rows=300, missing=0.1, seed=0, columns=COLUMNS):
    """Return a dataset of the columns, with entries missing at random."""
    rng = np.random.default_rng(seed)
    z, w = rng.normal(size=(2, rows))
    of = {
        "length, mm": 1000 + 30 * z + 5 * rng.normal(size=rows),
        "price": np.exp(3 + z + 0.3 * rng.normal(size=rows)),
        "share": 2 / (1 + np.exp(-w - 0.3 * rng.normal(size=rows))),
        "wind": (180 + 40 * w + 10 * rng.normal(size=rows)).clip(1, 359),
        "visits": rng.poisson(np.exp(1 + 0.7 * z)),
        "is new": (z + 0.5 * rng.normal(size=rows) > 0).astype(float),
        "colour": np.digitize(w + 0.3 * rng.normal(size=rows), [-1, 0, 1]),
        "grade": np.digitize(z + 0.3 * rng.normal(size=rows), [-0.5, 0.5]),
        "weight": np.round(np.exp(8 + 0.2 * z + 0.05 * rng.normal(size=rows))),
        "rain": np.where(rng.random(rows) < 0.4, 0.0, np.exp(w + 0.5 * rng.normal(size=rows))),
        "temperature": 290 + 0.5 * z + 0.1 * rng.normal(size=rows),
    }
    x = np.stack([of[column.name] for column in columns], 1).astype(np.float32)
    hidden = rng.random(x.shape) < missing
    hidden[: len(columns)] &= ~np.eye(len(columns), dtype=bool)
    x[hidden] = np.nan
    names = tuple(column.name for column in columns)
    rows_of = drawn(rows, rows // 10, rows // 10)
    return Stored(x, rows_of, names=names, columns=columns, has_missing=True).dataset("table")
