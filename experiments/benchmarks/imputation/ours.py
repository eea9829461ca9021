"""Missing entries filled by a VAE, whose families and epoch are chosen by entries that are seen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from obsvae.data import Column, Dataset, Kind
from obsvae.data.stored import Stored
from obsvae.experiments.benchmarks.imputation.best_fill import BestFill, filled_by
from obsvae.experiments.pair import make_pair
from obsvae.inference import fit
from obsvae.model import by_column_text


@dataclass(frozen=True)
class Settings:
    """How a VAE is trained to fill a table, the same for every table.

    Attributes:
        latent: size of z.
        hidden: sizes of the hidden layers.
        batch_size: rows in a minibatch.
        lr: Adam's learning rate.
        steps: about how many, in whole epochs.
        looks: how often the error over the entries held out is looked at.
        held_out: share of the entries that are seen which are held out to choose by.
        particles: K, for each row, when it fills.
        particles_of_looks: K, for each row, when it looks.
    """

    latent: int = 10
    hidden: tuple[int, ...] = (128, 128)
    batch_size: int = 100
    lr: float = 1e-3
    steps: int = 6000
    looks: int = 20
    held_out: float = 0.05
    particles: int = 200
    particles_of_looks: int = 50


FamilyOf = Callable[[Column], str]
_LEVELS_ALIKE = {Kind.ORDINAL: "categorical", Kind.COUNT: "normal:scale=decoder", Kind.POSITIVE: "normal:scale=decoder"}
# What is trained, each in turn; the one with the least error over entries held out fills the table.
FAMILIES: Mapping[str, FamilyOf] = {
    "as declared": lambda column: column.observation,
    "other": lambda column: _LEVELS_ALIKE.get(column.kind, column.observation),
}


@dataclass(frozen=True)
class Filled:
    """A table that was filled, and how.

    Attributes:
        x: ``(N, D)``.
        families: the name of those that were chosen.
        epoch: of the weights.
        held_out: error over the entries held out, by families.
    """

    x: np.ndarray
    families: str
    epoch: int
    held_out: Mapping[str, float] = field(default_factory=dict)


def fill(stored: Stored, x: np.ndarray, settings: Settings, seed: int = 0) -> Filled:
    """Fill a table after training on all of its rows.

    A few of the entries that are seen are hidden, too, while it trains. Of several choices of families and of their
    epochs those are taken whose error over these is least; they are shown to the encoder when the table is filled.

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
    tried = {name: _train(by_family, data, x, held_out, settings, seed) for name, by_family in FAMILIES.items()}
    name = min(tried, key=lambda name: tried[name].error)
    best = tried[name]
    found = filled_by(*best.pair, stored.columns, torch.from_numpy(x), settings.particles, seed)
    return Filled(found, name, best.epoch, {name: one.error for name, one in tried.items()})


def _train(
    family: FamilyOf, data: Dataset, x: np.ndarray, held_out: np.ndarray, settings: Settings, seed: int
) -> BestFill:
    """Train with families by column, and return what has looked on, whose pair has the best weights."""
    assert data.columns is not None
    text = by_column_text({column.name: family(column) for column in data.columns})
    model, guide = make_pair(text, data, latent=settings.latent, hidden=settings.hidden, seed=seed)
    steps = -(-len(data.train) // settings.batch_size)
    epochs = max(1, settings.steps // steps)
    best = BestFill(data.columns, x, held_out, max(1, epochs // settings.looks), settings.particles_of_looks, seed)
    fit(
        model,
        guide,
        data,
        epochs=epochs,
        batch_size=settings.batch_size,
        lr=settings.lr,
        seed=seed,
        callbacks=[best],
        progress=False,
    )
    return best
