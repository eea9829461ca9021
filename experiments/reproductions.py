"""The same autoencoder with four output heads, each with its claim about the data."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from obsvae.data import Dataset
from obsvae.errors import UsageError
from obsvae.experiments.pair import make_pair
from obsvae.inference import fit, reproduce


@dataclass(frozen=True)
class Head:
    """An output activation with a loss, as an observation.

    Attributes:
        observation: as a text.
        scaling: under which it sees the data, as ``load`` takes it.
    """

    observation: str
    scaling: str | None = None


HEADS = {
    "sigmoid +\ncross-entropy": Head("unnormalised-bernoulli"),
    "identity +\nsquared error": Head(f"normal:scale={math.sqrt(0.5)},link=identity", "standardise"),
    "continuous\nBernoulli": Head("continuous-bernoulli"),
    "Normal,\nlearned σ": Head("normal:scale=shared,link=identity"),
}


def load_scaled(load: Callable[[str | None], Dataset]) -> dict[str | None, Dataset]:
    """Return the data under the scaling of each head.

    Args:
        load: returns the data under a scaling.

    Raises:
        UsageError: for data without bounds.
    """
    datasets = {scaling: load(scaling) for scaling in {head.scaling for head in HEADS.values()}}
    if datasets[None].bounds is None:
        raise UsageError(
            f"the experiment needs data with bounds, such as grey levels, but {datasets[None].name} declares none"
        )
    return datasets


def check_heads(datasets: Mapping[str | None, Dataset], networks: Mapping[str, Any]) -> None:
    """Refuse what cannot be built, or data that a head is not for."""
    for head in HEADS.values():
        model, _ = make_pair(head.observation, datasets[head.scaling], **networks)
        model.check(datasets[head.scaling].train)


def train_head(
    head: Head, data: Dataset, x: Tensor, networks: Mapping[str, Any], training: Mapping[str, Any]
) -> Tensor:
    """Train an autoencoder with one of the heads, and return its reproductions of x ``(N, *event)``.

    Args:
        head: which one.
        data: under its scaling.
        x: on the device where to train.
        networks: arguments of :func:`make_pair`.
        training: arguments of :func:`fit`.

    Raises:
        KeyboardInterrupt: where training was interrupted: a model trained for less would be compared unfairly.
    """
    model, guide = make_pair(head.observation, data, seed=training["seed"], **networks)
    model, guide = model.to(x.device), guide.to(x.device)
    history = fit(model, guide, data.to(x.device), **training)
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    return reproduce(model, guide, x)


def errors(title: str, x: Tensor, reproduction: Tensor, bounds: tuple[float, float]) -> dict[str, Any]:
    """Return a head's row of the table: errors in data units, and the share that lies where no datum can."""
    outside = (reproduction < bounds[0]) | (reproduction > bounds[1])
    return {
        "model": title.replace("\n", " "),
        "mean absolute error": (reproduction - x).abs().mean().item(),
        "root mean square error": (reproduction - x).square().mean().sqrt().item(),
        f"% outside [{bounds[0]:g}, {bounds[1]:g}]": 100 * outside.to(torch.float32).mean().item(),
        "least": reproduction.min().item(),
        "greatest": reproduction.max().item(),
    }
