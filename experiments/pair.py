"""A model/guide pair for data, from names."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import torch
from torch import nn

from obsvae.errors import UsageError
from obsvae.experiments.architectures import Architecture, architecture_of, sizes_of
from obsvae.experiments.inputs import inputs_of
from obsvae.experiments.memory import bytes_of_parameters, bytes_of_training, in_words, machine_memory
from obsvae.experiments.own.networks import Own, with_own
from obsvae.experiments.own.unknown import UnknownDecoder, UnknownEncoder
from obsvae.guides import Guide, make_guide
from obsvae.model import VAE, Decoder, Observation, Spread, make_observation, make_prior
from obsvae.model.observations.data_like import ConditionLike, DataLike
from obsvae.modes import seeded
from obsvae.whole_numbers import require_seed, whole


class PairData(DataLike, Protocol):
    """The properties of data that a pair is made from."""

    @property
    def conditions(self) -> Sequence[ConditionLike]: ...  # noqa: D102 - named as the data have it


# What takes the place of a family whose outputs grow with the levels of the grid.
FEW_OUTPUTS = "discretised:inner=logistic,scale=decoder"


def make_pair(
    observation: str | Observation,
    data: PairData,
    *,
    latent: int = 40,
    hidden: Sequence[int] | None = None,
    architecture: str = "mlp",
    guide: str = "normal",
    prior: str = "standard-normal",
    decoder: Own | None = None,
    encoder: Own | None = None,
    seed: int = 0,
) -> tuple[VAE, Guide]:
    """Return an untrained model and its guide, on the CPU.

    Args:
        observation: p(x | z): a text such as ``"normal:scale=decoder"``, or an observation made beforehand.
        data: what they are for: a dataset, or anything with ``event_shape``, ``unit_shape``, ``bounds``, ``grid``,
            ``scaling``, ``has_missing``, ``columns`` and ``conditions``.
        latent: size of z.
        hidden: sizes of the hidden layers from x to z, mirrored in the decoder; by default the architecture's own.
        architecture: of the networks, a name in ``ARCHITECTURES``, with options where wanted, such as
            ``mlp:activation=tanh``.
        guide: a name in ``GUIDES``, with options where wanted, such as ``low-rank:rank=8``.
        prior: a name in ``PRIORS``, likewise, such as ``mixture:components=20``.
        decoder: a network of your own in the place of the architecture's: a torch Module, its class, or the import path
            of that as a text, ``package.module:Class``, see :func:`with_own`.
        encoder: likewise.
        seed: of the initial weights.

    Raises:
        UsageError: for an unknown name or option, data that lack something the observation must know, a network of your
            own that does not keep its contract, and a pair that could not be trained in this machine's memory.
    """
    if not hasattr(data, "event_shape"):
        raise UsageError(f"make_pair needs a dataset, load(x), but got {type(data).__name__}")
    if not isinstance(observation, str | Observation):
        raise UsageError(
            f"make_pair needs a text such as 'normal', or an observation, but got {type(observation).__name__}"
        )
    hidden, latent = sizes_of(architecture, hidden), whole("latent", latent)
    require_seed(seed)
    chosen = make_observation(observation, data) if isinstance(observation, str) else observation
    parts: dict[str, Any] = {
        "latent": latent,
        "hidden": hidden,
        "architecture": architecture,
        "guide": guide,
        "prior": prior,
        "decoder": decoder,
        "encoder": encoder,
    }
    require_memory(chosen, data, **parts)
    return build_pair(chosen, data, **parts, seed=seed)


def build_pair(
    observation: Observation,
    data: PairData,
    *,
    latent: int,
    hidden: Sequence[int],
    architecture: str,
    guide: str,
    prior: str,
    decoder: Own | None = None,
    encoder: Own | None = None,
    seed: int = 0,
) -> tuple[VAE, Guide]:
    """Return a model and its guide as :func:`make_pair` does, without a look at the memory that training would need."""
    kind = with_own(architecture_of(architecture), decoder, encoder)
    with seeded(seed, torch.device("cpu")):
        z = make_prior(prior, latent)  # the first to refuse a latent that there cannot be
        C, has_offset = _conditions_of(data)
        network = _decoder(kind, latent + C - has_offset, data.event_shape, observation, hidden)
        proposal = make_guide(guide, kind.encoder, data.event_shape, latent, hidden, inputs_of(data), C)
        z.join(proposal, data.event_shape)
        return VAE(z, network, observation, C, has_offset), proposal


def _conditions_of(data: PairData) -> tuple[int, bool]:
    """Return how many numbers are given beside x, and whether the last of them is an offset."""
    return sum(one.width for one in data.conditions), any(one.is_offset for one in data.conditions)


def _decoder(
    kind: Architecture, latent: int, event: Sequence[int], observation: Observation, hidden: Sequence[int]
) -> Decoder:
    """Return the decoder of an observation; where features take different numbers of outputs it makes these alone."""
    decoder = kind.decoder(latent, *_outputs_of(observation, event), hidden[::-1])
    used = observation.used
    return decoder if used is None or bool(used.all()) else Spread(decoder, used)


def _outputs_of(observation: Observation, event: Sequence[int]) -> tuple[Sequence[int], int]:
    """Return the shape of what the decoder makes, and the outputs per feature."""
    used = observation.used
    return (event, observation.outputs) if used is None or bool(used.all()) else ((int(used.sum()),), 1)


def bytes_of_weights(
    observation: Observation,
    data: PairData,
    *,
    latent: int,
    hidden: Sequence[int],
    architecture: str,
    guide: str,
    prior: str,
    decoder: Own | None = None,
    encoder: Own | None = None,
) -> float:
    """Return how many bytes the weights of a pair's networks take, before any of them is built.

    Networks of the user's own are left out: what they take shows when they are made.
    """
    kind = _known(architecture, decoder, encoder)
    return bytes_of_parameters(_networks(observation, data, latent, hidden, kind, guide, prior))


def _known(architecture: str, decoder: Own | None, encoder: Own | None) -> Architecture:
    """Return the architecture with networks that take nothing in the place of the user's own."""
    kind = architecture_of(architecture)
    if decoder is not None:
        kind = replace(kind, decoder=UnknownDecoder)
    return kind if encoder is None else replace(kind, encoder=UnknownEncoder)


def _networks(
    observation: Observation,
    data: PairData,
    latent: int,
    hidden: Sequence[int],
    kind: Architecture,
    guide: str,
    prior: str,
) -> Callable[[], nn.Module]:
    """Return what makes the networks of a pair."""
    event = data.event_shape
    shape, outputs = _outputs_of(observation, event)
    C, has_offset = _conditions_of(data)

    def build() -> nn.Module:
        first = make_prior(prior, latent)
        decoder = kind.decoder(latent + C - has_offset, shape, outputs, hidden[::-1])
        proposal = make_guide(guide, kind.encoder, event, latent, hidden, inputs_of(data), C)
        first.join(proposal, event)
        return nn.ModuleList([first, decoder, proposal])

    return build


def require_memory(
    observation: Observation,
    data: PairData,
    *,
    latent: int,
    hidden: Sequence[int],
    architecture: str,
    guide: str,
    prior: str,
    decoder: Own | None = None,
    encoder: Own | None = None,
) -> None:
    """Refuse a pair that could not be trained in this machine's memory, before any of it is built.

    Networks of the user's own are left out.

    Raises:
        UsageError: one line with what training needs, what there is, and the remedy.
    """
    event, kind = data.event_shape, _known(architecture, decoder, encoder)

    def needed(observation: Observation) -> float:
        return bytes_of_training(
            _networks(observation, data, latent, hidden, kind, guide, prior),
            math.prod(event) * observation.outputs,
        )

    need, have = needed(observation), machine_memory()
    if need <= have:
        return
    remedy = "take smaller networks (latent, hidden)"
    if data.grid is not None and needed(make_observation(FEW_OUTPUTS, data)) <= have:
        remedy = f"take {FEW_OUTPUTS}, whose outputs do not grow with the levels"
    raise UsageError(
        f"{observation.name} needs {in_words(need)} of memory to be trained on these data, by {observation.outputs} "
        f"decoder outputs for each of {math.prod(event)} features, but this machine has {in_words(have)}; {remedy}"
    )
