"""Missing entries filled by a VAE, whose families and epoch are chosen by entries that are seen."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch

from obsvae.data import Column, Dataset, Kind
from obsvae.data.stored import Stored
from obsvae.experiments.benchmarks.imputation.best_fill import BestFill
from obsvae.experiments.pair import make_pair
from obsvae.experiments.use.points import points_of
from obsvae.inference import Mean, Point, fit
from obsvae.model import by_column_text

NEAR = 1.05  # times the least error of a short training: choices that are trained on
GROWTH = 1.4  # of the epochs from one look at the error over entries held out to the next


@dataclass(frozen=True)
class Settings:
    """How a VAE is trained to fill a table, the same for every table.

    Attributes:
        latent: size of z.
        hidden: sizes of the hidden layers.
        batch_size: rows in a minibatch.
        lr: Adam's learning rate.
        steps: at most, in whole epochs.
        trial: steps for each choice of families before the worse ones are left out, and least number of steps of any.
        held_out: share of the entries that are seen which are held out to choose by.
        particles: K, for each row, when it fills.
        particles_of_looks: K, for each row, when it looks.
    """

    latent: int = 10
    hidden: tuple[int, ...] = (256, 256)
    batch_size: int = 512
    lr: float = 1e-3
    steps: int = 6000
    trial: int = 900
    held_out: float = 0.05
    particles: int = 200
    particles_of_looks: int = 20


@dataclass(frozen=True)
class Choice:
    """What the families of a table may be.

    Attributes:
        name: of the choice.
        family: returns the text of a column's family.
        points: return the value of each column that is filled in.
    """

    name: str
    family: Callable[[Column], str]
    points: Callable[[Sequence[Column]], list[Point]] = points_of


def _normal(scale: str) -> Choice:
    """Return Normals for numbers, and for levels, with an order or without, a probability each."""

    def family(column: Column) -> str:
        if column.levels is not None:
            return "bernoulli" if column.kind is Kind.BINARY else "categorical"
        return f"normal:scale={scale}"

    def points(columns: Sequence[Column]) -> list[Point]:
        mean = Mean()  # of a Normal no tail runs away
        usual = zip(points_of(columns), columns, strict=True)
        return [point if column.levels is not None else mean for point, column in usual]

    return Choice(f"normal, scale={scale}", family, points)


# The choice whose error over entries held out is least fills the table.
CHOICES = (Choice("as declared", lambda column: column.observation), _normal("per-unit"), _normal("decoder"))


@dataclass(frozen=True)
class Filled:
    """A table that was filled, and how.

    Attributes:
        x: ``(N, D)``.
        families: the name of those that were chosen.
        epoch: of the weights.
        held_out: error over the entries held out.
    """

    x: np.ndarray
    families: str
    epoch: int
    held_out: float


def fill(stored: Stored, x: np.ndarray, settings: Settings, seed: int = 0) -> Filled:
    """Fill a table after training on all of its rows.

    A few of the entries that are seen are hidden, too, while it trains. The error over these chooses: of several
    choices of families those that do well in a short training, of these and of the epochs of a long one the best. When
    the table is filled, the encoder sees them.

    Args:
        stored: the columns; its x is not looked at.
        x: the table (N, D); NaN where an entry is missing.
        settings: of networks and training.
        seed: of the entries held out, weights, minibatches and particles.
    """
    assert stored.columns is not None
    held_out = ~np.isnan(x) & (np.random.default_rng(seed).random(x.shape) < settings.held_out)
    seen = torch.from_numpy(np.where(held_out, np.nan, x).astype(np.float32))
    # Every row is trained on, and validation, of which fit needs some, chooses nothing: the entries held out do.
    data = replace(stored.dataset("table"), train=seen, validation=seen[:1])
    train = partial(_train, data=data, x=x, held_out=held_out, seed=seed)
    # Choices that come to the same for this table are tried once.
    choices = {_text(choice, stored.columns): choice for choice in reversed(CHOICES)}
    short = replace(settings, steps=min(settings.steps, settings.trial))
    errors = {text: train(choice, settings=short).error for text, choice in choices.items()}
    # Families that are near one another early may change places later.
    near = [choices[text] for text, error in errors.items() if error <= NEAR * min(errors.values())]
    trained = [(choice, train(choice, settings=settings)) for choice in near]
    choice, best = min(trained, key=lambda pair: pair[1].error)
    return Filled(best.fill(torch.from_numpy(x), settings.particles), choice.name, best.epoch, best.error)


def looks_of(epochs: int) -> list[int]:
    """Return epochs to look after, in steps that grow with them: small tables overfit within a few."""
    return sorted({min(epochs, round(GROWTH**k)) for k in range(math.ceil(math.log(epochs, GROWTH)) + 1)})


def _text(choice: Choice, columns: Sequence[Column]) -> str:
    return by_column_text({column.name: choice.family(column) for column in columns})


def _train(
    choice: Choice, *, data: Dataset, x: np.ndarray, held_out: np.ndarray, settings: Settings, seed: int
) -> BestFill:
    """Train with families by column, and return what has looked on, whose pair has the best weights."""
    assert data.columns is not None
    pair = make_pair(_text(choice, data.columns), data, latent=settings.latent, hidden=settings.hidden, seed=seed)
    of_epoch = -(-len(data.train) // settings.batch_size)
    epochs = max(1, settings.steps // of_epoch)
    best = BestFill(
        data.columns,
        x,
        held_out,
        looks=looks_of(epochs),
        least=settings.trial // of_epoch,
        points=choice.points(data.columns),
        particles=settings.particles_of_looks,
        seed=seed,
    )
    fit(
        *pair,
        data,
        epochs=epochs,
        batch_size=settings.batch_size,
        lr=settings.lr,
        seed=seed,
        callbacks=[best],
        progress=False,
    )
    return best
