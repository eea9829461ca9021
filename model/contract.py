"""The contract of a model's parts, which is checked when the model is made."""

import torch
from pyro.distributions.torch_distribution import TorchDistributionMixin
from torch import Tensor

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.local import unnoticed
from obsvae.model.decoders import Decoder
from obsvae.model.observations import Measure, Observation, Support
from obsvae.model.priors import Prior
from obsvae.modes import evaluating, seeded
from obsvae.whole_numbers import whole

_BATCH = (2, 3)  # such as particles and data


def require_parts(
    prior: Prior, decoder: Decoder, observation: Observation, conditions: int = 0, has_offset: bool = False
) -> None:
    """Refuse parts that do not fit together, or that are not what they say.

    Raises:
        UsageError: one line with the part, what was needed, and what it gives.
    """
    _require_declared(observation)
    if decoder.outputs != observation.outputs:
        raise UsageError(
            f"{observation.name} takes {observation.outputs} outputs per feature, but the decoder gives "
            f"{decoder.outputs}; build the decoder with outputs={observation.outputs}"
        )
    if not isinstance(prior, Prior):
        raise UsageError(f"the prior needs to be an obsvae.Prior, but is of type {_named(prior)}")
    with evaluating(prior, decoder, observation):
        _require_prior(prior, decoder, whole("conditions", conditions, least=int(has_offset)) - has_offset)
        eta = _outputs(decoder)
        _require_elementwise(observation, eta)
        if has_offset:
            observation.exposure(eta)


def _require_declared(observation: Observation) -> None:
    needed = {"measure": Measure, "support": Support}
    for name, kind in needed.items():
        found = getattr(observation, name, None)
        if not isinstance(found, kind):
            raise UsageError(
                f"an observation declares its {name}, a {kind.__name__}, but that of {observation.name} is {found!r}; "
                "set it in the class, as the families of obsvae do"
            )


def _require_prior(prior: Prior, decoder: Decoder, conditions: int) -> None:
    p_z = prior()
    _require_distribution(type(prior).__name__, p_z)
    shapes = tuple(p_z.batch_shape), tuple(p_z.event_shape)
    latent = decoder.latent - conditions
    if shapes != ((), (latent,)):
        beside = f" beside {conditions} conditions" if conditions else ""
        raise UsageError(
            f"the decoder takes a z of size {latent}{beside}, so that the prior needs batch shape () and event shape "
            f"({latent},), but {type(prior).__name__} has {shapes[0]} and {shapes[1]}"
        )


def _require_distribution(name: str, found: object) -> None:
    if not isinstance(found, TorchDistributionMixin):
        raise UsageError(f"{name} needs to return a distribution from pyro.distributions, but returns {_named(found)}")


def _named(found: object) -> str:
    return f"{type(found).__module__}.{type(found).__name__}"


def _outputs(decoder: Decoder) -> Tensor:
    """Return what a decoder makes of zeros ``(2, 3, *event, outputs)``."""
    reference = next(decoder.parameters(), torch.zeros(()))
    z = torch.zeros(*_BATCH, decoder.latent, dtype=reference.dtype, device=reference.device)
    eta, needed = decoder(z), (*_BATCH, *decoder.event_shape, decoder.outputs)
    if tuple(eta.shape) != needed:
        raise UsageError(
            f"the decoder needs to return outputs of shape (*batch, *event, outputs) = {needed} for z of shape "
            f"{tuple(z.shape)}, but {type(decoder).__name__} returns {tuple(eta.shape)}"
        )
    return eta


def _require_elementwise(observation: Observation, eta: Tensor) -> None:
    with unnoticed(observation):
        p_x = observation(torch.zeros_like(eta))
    _require_distribution(observation.name, p_x)
    needed = tuple(eta.shape[:-1])
    if (tuple(p_x.batch_shape), tuple(p_x.event_shape)) != (needed, ()):
        raise UsageError(
            f"the model needs an elementwise observation, with batch shape {needed} and event shape () for outputs of "
            f"shape {tuple(eta.shape)}, but {observation.name} returns {type(p_x).__name__} with batch shape "
            f"{tuple(p_x.batch_shape)} and event shape {tuple(p_x.event_shape)}; return the distribution of each "
            "feature by itself, without to_event"
        )
    # A loss draws no data, and a bound draws noise of its own.
    if observation.measure is not Measure.NONE and not observation.is_bound and _is_mixed(p_x, eta.device):
        raise UsageError(
            f"the model needs an elementwise observation, but under {observation.name} the log-probability of one "
            "feature depends on the value of another; return log-probabilities of each feature by itself"
        )


def _is_mixed(p_x: Distribution, device: torch.device) -> bool:
    """Return whether the log-probability of a feature moves with the value of another."""
    with seeded(0, device):
        try:
            x, other = p_x.sample(), p_x.sample()
        except NotImplementedError:  # without draws there are no values to try it with
            return False
    changed = x.clone().flatten(len(_BATCH))
    changed[..., 0] = other.flatten(len(_BATCH))[..., 0]
    before, after = (p_x.log_prob(value).flatten(len(_BATCH))[..., 1:] for value in (x, changed.view_as(x)))
    return not torch.equal(before.nan_to_num(), after.nan_to_num())
