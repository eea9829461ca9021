"""Decoders and encoders of the user's own, held against their contract when they are made."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from torch import nn

from obsvae.errors import UsageError
from obsvae.experiments.architectures import Architecture
from obsvae.experiments.own.contract import require_rows
from obsvae.experiments.own.imported import FORM, imported
from obsvae.guides import Encoder, Inputs
from obsvae.guides.module_encoder import ModuleEncoder
from obsvae.model import Decoder
from obsvae.model.module_decoder import ModuleDecoder

# The import path of a class, a class, or an instance.
type Own = str | type[nn.Module] | nn.Module


def with_own(kind: Architecture, decoder: Own | None, encoder: Own | None) -> Architecture:
    """Return an architecture with a decoder or an encoder of the user's in the place of its own.

    Args:
        kind: the architecture.
        decoder: a torch Module, or its class, which is called with ``(latent, event_shape, outputs, hidden)``, hidden
            from z to x. A :class:`Decoder` is taken as it is; any other gets a bias, see :class:`ModuleDecoder`.
        encoder: likewise. The class of an :class:`Encoder` is called with ``(event_shape, outputs, hidden, inputs)``,
            hidden from x to z, any other with ``(shape, outputs, hidden)``, of what it sees of x, see
            :class:`ModuleEncoder`; where data have conditions, their number C is one argument more, and the network is
            called with c ``(B, C)`` behind x. To a decoder they are more latents.

    Raises:
        UsageError: for what is neither; the networks raise it when they are made and do not keep the contract.
    """
    if decoder is not None:
        kind = replace(kind, decoder=partial(_decoder, _resolved("decoder", decoder)))
    if encoder is not None:
        kind = replace(kind, encoder=partial(_encoder, _resolved("encoder", encoder)))
    return kind


def _resolved(what: str, given: Own) -> type[nn.Module] | nn.Module:
    if isinstance(given, str):
        return imported(what, given)
    if isinstance(given, nn.Module) or (isinstance(given, type) and issubclass(given, nn.Module)):
        return given
    shown = f"the class {given.__qualname__}" if isinstance(given, type) else f"of type {type(given).__name__}"
    raise UsageError(
        f"{what} needs a torch.nn.Module, its class, or the path of that as a text, {FORM}, but is {shown}"
    )


def _decoder(
    given: type[nn.Module] | nn.Module, latent: int, event_shape: Sequence[int], outputs: int, hidden: Sequence[int]
) -> Decoder:
    event = tuple(event_shape)
    arguments = {"latent": latent, "event_shape": event, "outputs": outputs, "hidden": tuple(hidden)}
    made = _made("decoder", given, arguments)
    if isinstance(made, Decoder):
        _require("decoder", made, latent=latent, event_shape=event, outputs=outputs)
        require_rows("decoder", made, made, (2, 3), (latent,), (*event, outputs))
        return made
    require_rows("decoder", made, made, (6,), (latent,), (*event, outputs))
    return ModuleDecoder(made, latent, event, outputs)


def _encoder(
    given: type[nn.Module] | nn.Module,
    event_shape: Sequence[int],
    outputs: int,
    hidden: Sequence[int],
    inputs: Inputs | None,
    conditions: int = 0,
) -> Encoder:
    event, sizes = tuple(event_shape), tuple(hidden)
    more = {"conditions": conditions} if conditions else {}
    if isinstance(given, Encoder) or (isinstance(given, type) and issubclass(given, Encoder)):
        arguments = {"event_shape": event, "outputs": outputs, "hidden": sizes, "inputs": inputs, **more}
        made = _made("encoder", given, arguments)
        assert isinstance(made, Encoder)
        _require("encoder", made, event_shape=event, outputs=outputs, conditions=conditions)
        require_rows("encoder", made, made.network, (2, 3), tuple(made.inputs.shape), (outputs,), conditions)
        return made
    shape = event if inputs is None else tuple(inputs.shape)
    made = _made("encoder", given, {"shape": shape, "outputs": outputs, "hidden": sizes, **more})
    require_rows("encoder", made, made, (6,), shape, (outputs,), conditions)
    return ModuleEncoder(made, event, outputs, inputs, conditions)


def _made(what: str, given: type[nn.Module] | nn.Module, arguments: Mapping[str, object]) -> nn.Module:
    """Return the network: made of a class, or as it is."""
    if isinstance(given, nn.Module):
        return given
    try:
        return given(*arguments.values())
    except UsageError:
        raise
    except Exception as error:  # of code that is not ours
        called = f"{given.__name__}({', '.join(arguments)})"
        values = ", ".join(f"{name}={value!r}" for name, value in arguments.items() if name != "inputs")
        raise UsageError(
            f"{what} {given.__name__} cannot be made by {called}, with {values}: {type(error).__name__}: {error}"
        ) from error


def _require(what: str, made: Decoder | Encoder, **needed: object) -> None:
    """Refuse a network that says of itself that it is for something else."""
    for name, value in needed.items():
        found = getattr(made, name, None)
        found = tuple(found) if isinstance(found, tuple) else found
        if found != value:
            raise UsageError(
                f"{what} {type(made).__name__} needs {name} {value} for these data and this pair, but has {found}"
            )
