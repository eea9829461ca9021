"""Whether the floor of a scale decides a density."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from obsvae.model.observations.base import Observation
from obsvae.model.observations.measure import Measure
from obsvae.model.observations.parameters import Fixed, Positive
from obsvae.model.observations.real_line.location_scale import LocationScale
from obsvae.model.observations.wrappers.partial import Partial
from obsvae.model.observations.wrappers.wrapper import Compound

# A scale is near its floor below this multiple of it, if that is as small a share of the data's spread; or else below
# the other multiple.
_NEAR, _SMALL, _AT = 10.0, 0.01, 2.0


@torch.no_grad()
def share_at_floor(observation: Observation, eta: Tensor) -> float | None:
    """Return the share of the learned scales of densities that are near their floor.

    That is below ten times the floor and a hundredth of the data's spread, or below twice the floor. There the density
    has no bound but the floor, towards which training goes on to move: one that is higher is no better. Masses of grid
    cells have no such scales; densities beside a mass at 0 are left out, as most of their scales may say nothing.

    Args:
        observation: in evaluation mode.
        eta: the decoder's outputs for some data ``(*batch, *event, outputs)``.

    Returns:
        The share over all entries that have such a scale; None where none has.
    """
    at, of = 0, 0

    def count(scale: nn.Module, inputs: tuple[Any, ...], value: Tensor) -> None:
        nonlocal at, of
        assert isinstance(scale, Positive)
        limit = max(_AT * scale.floor, min(_NEAR * scale.floor, _SMALL))
        low = (value < limit * scale.start).expand(inputs[0].shape[:-1])
        at, of = at + int(low.sum()), of + low.numel()

    while isinstance(observation, Partial):  # it asks for the inner distribution once it knows x
        observation = observation.inner
    hooks = [scale.register_forward_hook(count) for scale in _scales(observation)]
    try:
        observation(eta)
    finally:
        for hook in hooks:
            hook.remove()
    return at / of if of else None


def _scales(observation: Observation) -> Iterator[Positive]:
    """Return the scales of the densities that an observation is made of, without those that are fixed."""
    if observation.measure not in (Measure.LEBESGUE, Measure.PRODUCT):
        return
    if isinstance(observation, LocationScale) and not isinstance(observation.scale, Fixed):
        yield observation.scale
    for part in observation.parts if isinstance(observation, Compound) else ():
        yield from _scales(part)
