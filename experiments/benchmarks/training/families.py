"""What is trained: a family of observations, data of it, and networks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from obsvae.data import Column, Dataset, Grid, Kind, load
from obsvae.experiments.pair import make_pair
from obsvae.guides import Guide
from obsvae.model import VAE

# Rows of the table, the size of the z that it is drawn from, and levels of a category.
_ROWS, _LATENT, _LEVELS = 20_000, 4, 5
_COLUMNS = {"normal": 8, "bernoulli": 2, "log-normal": 4, "poisson": 4, "categorical": 2}
_KINDS = {
    "normal": Kind.REAL,
    "log-normal": Kind.POSITIVE,
    "poisson": Kind.COUNT,
    "bernoulli": Kind.BINARY,
    "categorical": Kind.CATEGORY,
}


@dataclass(frozen=True)
class Family:
    """A family of observations with data of it.

    Attributes:
        data: returns them, from the name of a set of images.
        observation: the text of the observation.
        latent: size of z.
        hidden: sizes of the hidden layers.
        steps: to be timed at a time.
    """

    data: Callable[[str], Dataset]
    observation: str
    latent: int = 40
    hidden: tuple[int, ...] = (300, 300)
    steps: int = 500

    def pair(self, data: Dataset) -> tuple[VAE, Guide]:
        """Return an untrained pair for the data; its weights are always the same."""
        return make_pair(self.observation, data, latent=self.latent, hidden=self.hidden)


def table() -> Dataset:
    """Return a table of 20 columns drawn from a random decoder, of five families."""
    random = np.random.default_rng(0)
    outputs = {name: number * (_LEVELS if name == "categorical" else 1) for name, number in _COLUMNS.items()}
    z = random.standard_normal((_ROWS, _LATENT))
    rough = np.tanh(z @ random.standard_normal((_LATENT, 32))) @ random.standard_normal((32, sum(outputs.values())))
    eta = dict(zip(outputs, np.split(rough / 4, np.cumsum([*outputs.values()])[:-1], 1), strict=True))
    category = eta["categorical"].reshape(_ROWS, -1, _LEVELS)
    drawn = {
        "normal": random.normal(3 * eta["normal"] + 5, 1.0),
        "log-normal": np.exp(random.normal(eta["log-normal"], 0.3)),
        "poisson": random.poisson(np.exp(0.5 * eta["poisson"] + 1)),
        "bernoulli": random.random(eta["bernoulli"].shape) < 1 / (1 + np.exp(-2 * eta["bernoulli"])),
        # The greatest of logits with Gumbel noise is a draw of their softmax.
        "categorical": np.argmax(2 * category + random.gumbel(size=category.shape), -1),
    }
    x = torch.from_numpy(np.concatenate([drawn[name] for name in _COLUMNS], 1).astype(np.float32))
    columns = tuple(_column(family, i) for family, number in _COLUMNS.items() for i in range(number))
    train, validation, test = x.split([_ROWS - 2000, 1000, 1000])
    return Dataset("table", train, validation, test, labels={}, rows={}, sha256="", columns=columns, units="column")


def _column(family: str, number: int) -> Column:
    grids = {"poisson": Grid(0.0, 1.0, None), "bernoulli": Grid(0.0, 1.0, 2), "categorical": Grid(0.0, 1.0, _LEVELS)}
    return Column(f"{family}-{number}", _KINDS[family], family, grid=grids.get(family))


FAMILIES: Mapping[str, Family] = {
    "bernoulli": Family(lambda name: load(name, binarise="threshold"), "bernoulli"),
    "normal": Family(lambda name: load(name, warp=0.0), "normal:scale=shared"),
    "categorical": Family(lambda name: load("digits"), "categorical"),
    "by-column": Family(lambda name: table(), "by-column", latent=8, hidden=(64,), steps=5000),
}
