"""The files that tell a training program what to train: the same weights, on the same data, for each."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from obsvae.data import Dataset
from obsvae.experiments.benchmarks.training.families import FAMILIES
from obsvae.experiments.benchmarks.training.peers.talk import Group
from obsvae.guides import AmortisedNormal, ColumnInputs, Guide, Inputs, Logarithm, MLPEncoder, OneHot, Standardised
from obsvae.model import VAE, Bernoulli, ByColumn, Categorical, LogNormal, MLPDecoder, Normal, Observation, Poisson
from obsvae.model.decoders import Spread
from obsvae.model.observations.parameters import Learned

LR = 1e-3
# Data that the ELBO is told of, at most.
_EVALUATED = 2000
_HEADS: Mapping[type[Observation], str] = {
    Normal: "normal",
    LogNormal: "log-normal",
    Poisson: "poisson",
    Bernoulli: "bernoulli",
    Categorical: "categorical",
}


def training_rows(data: Dataset, batch_size: int, steps: int) -> Tensor:
    """Return the first training data, as many whole minibatches as there are, and no more than one for each step."""
    return data.train[: min(len(data.train) // batch_size, steps) * batch_size]


def write_job(folder: Path, family: str, data: Dataset, *, batch_size: int, steps: int, threads: int) -> Path:
    """Write ``job.json``, ``data.npy`` and ``start.npz``, and return the first.

    Args:
        folder: to write to.
        family: a name in ``FAMILIES``.
        data: of it.
        batch_size: data in a minibatch.
        steps: to be timed at a time.
        threads: of the processor.
    """
    x = training_rows(data, batch_size, steps)
    model, guide = FAMILIES[family].pair(data)
    model.initialise(x)
    guide.initialise(x)
    assert isinstance(guide, AmortisedNormal)
    groups, start = _groups(model.observation, guide.encoder.inputs)
    scales = [part for part in model.modules() if isinstance(part, Learned)]
    told = {
        "family": family,
        "groups": [asdict(group) for group in groups],
        "batch_size": batch_size,
        "threads": threads,
        "lr": LR,
        "floor": guide.floor,
        "scale_floor": scales[0].floor if scales else 0.0,
        "evaluated": min(len(x), max(_EVALUATED // batch_size, 1) * batch_size),
        "seed": 0,
    }
    np.save(folder / "data.npy", x.flatten(1).numpy())
    arrays = {name: value.detach().numpy() for name, value in {**_networks(model, guide), **start}.items()}
    np.savez(folder / "start.npz", allow_pickle=False, **arrays)
    file = folder / "job.json"
    file.write_text(json.dumps(told), encoding="utf-8")
    return file


def _networks(model: VAE, guide: Guide) -> dict[str, Tensor]:
    decoder = model.decoder.decoder if isinstance(model.decoder, Spread) else model.decoder
    assert isinstance(decoder, MLPDecoder)
    assert isinstance(guide.encoder, MLPEncoder)
    named = {"encoder": guide.encoder.layers, "decoder": nn.Sequential(*decoder.body, decoder.head)}
    found = dict[str, Tensor]()
    for name, network in named.items():
        linear = [layer for layer in network if isinstance(layer, nn.Linear)]
        for i, layer in enumerate(linear):
            found |= {f"{name}.{i}.weight": layer.weight, f"{name}.{i}.bias": layer.bias}
    return found


def _groups(observation: Observation, inputs: Inputs) -> tuple[list[Group], dict[str, Tensor]]:
    """Return the groups of features that share a family, and their constants."""
    groups, start, first, first_output = list[Group](), dict[str, Tensor](), 0, 0
    for i, (head, features) in enumerate(_heads(observation, inputs)):
        seen, constants = _seen(inputs, first, features)
        if isinstance(head, Normal | LogNormal):
            assert isinstance(head.scale, Learned)
            constants |= {"centre": head.centre, "spread": head.spread}
            constants |= {"scale_start": head.scale.start, "raw_scale": head.scale.raw}
        start |= {f"{name}_{i}": value.flatten() for name, value in constants.items()}
        groups.append(Group(i, _HEADS[type(head)], seen, features, head.outputs, first, first_output))
        first, first_output = first + features, first_output + features * head.outputs
    return groups, start


def _heads(observation: Observation, inputs: Inputs) -> Iterator[tuple[Observation, int]]:
    """Return each family with the number of its features, which are neighbours in x."""
    if not isinstance(observation, ByColumn):
        yield observation, math.prod(inputs.shape)
        return
    assert observation.order.equal(torch.arange(len(observation.order)))
    for part, columns in zip(observation.parts, observation.columns, strict=True):
        assert isinstance(part, Observation)
        yield part, len(columns)


def _seen(inputs: Inputs, first: int, features: int) -> tuple[str, dict[str, Tensor]]:
    """Return how the encoder sees some neighbouring features, and the constants of that."""
    if isinstance(inputs, ColumnInputs):
        # The parts stand in the order of their columns, so that groups are seen in the order of x.
        of_parts = [getattr(inputs, f"columns_{i}") for i in range(len(inputs.parts))]
        assert torch.cat(of_parts).equal(torch.arange(sum(map(len, of_parts))))
        i, columns = next((i, columns) for i, columns in enumerate(of_parts) if first in columns)
        part = inputs.parts[i]
        assert isinstance(part, Inputs)
        seen, constants = _seen(part, 0, len(columns))
        here = slice(first - int(columns[0]), first - int(columns[0]) + features)
        return seen, {name: value[here] for name, value in constants.items()}
    if isinstance(inputs, OneHot):
        return "one-hot", {}
    plain = inputs.standardised if isinstance(inputs, Logarithm) else inputs
    assert isinstance(plain, Standardised)
    seen = ("log1p" if inputs.shift else "log") if isinstance(inputs, Logarithm) else "plain"
    return seen, {"offset": plain.offset, "size": plain.scale}
