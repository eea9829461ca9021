"""The terms of a bound on log p(x), for each datum and each of several draws of z."""

from dataclasses import dataclass

import pyro
import torch
from pyro import poutine
from torch import Tensor, nn

from obsvae.distribution import Distribution
from obsvae.inference.conditions import present
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.sites import distribution_at
from obsvae.local import local_parameters


@dataclass(frozen=True)
class Drawn:
    """Draws of z from a guide.

    Attributes:
        z: ``(K, N, D)``, with gradients in the guide's parameters.
        q: the guide's q(z | x): batch shape ``(K, N)``.
    """

    z: Tensor
    q: Distribution


@dataclass(frozen=True)
class Scored:
    """A model's view of z and x.

    Attributes:
        log_prior: log p(z) in nats ``(K, N)``.
        log_likelihood: log p(x | z) in nats ``(K, N)``.
        p: the prior.
    """

    log_prior: Tensor
    log_likelihood: Tensor
    p: Distribution


def draw(guide: AmortisedGuide, x: Tensor, particles: int, c: Tensor | None = None) -> Drawn:
    """Draw z from the guide, ``particles`` times for each datum of x ``(N, *event)``, given c where there are any."""
    with local_parameters(guide), pyro.plate("particles", particles, dim=-2):
        trace = poutine.trace(guide).get_trace(*present(x, c))
    z = trace.nodes["z"]["value"]
    assert isinstance(z, Tensor)
    return Drawn(z, distribution_at(trace, "z"))


def score(model: GenerativeModel, x: Tensor, z: Tensor, c: Tensor | None = None) -> Scored:
    """Return log p(z) and log p(x | z, c), for z ``(K, N, D)``."""
    with local_parameters(model), pyro.plate("particles", len(z), dim=-2):
        trace = poutine.trace(poutine.condition(model, {"z": z})).get_trace(*present(x, c))
    p, p_x = distribution_at(trace, "z"), distribution_at(trace, "x")
    return Scored(p.log_prob(z), p_x.log_prob(x), p)


def log_density(guide: AmortisedGuide, x: Tensor, z: Tensor, c: Tensor | None = None) -> Tensor:
    """Return log q(z | x, c) ``(K, N)``, with gradients in z alone: the guide's parameters are held."""
    density = _Density(guide)
    held = {name: parameter.detach() for name, parameter in density.named_parameters()}
    return torch.func.functional_call(density, held, present(x, z, c))


class _Density(nn.Module):
    """Returns a guide's log q(z | x); all of it is computed here, as a flow runs its networks when it is asked."""

    def __init__(self, guide: AmortisedGuide) -> None:
        super().__init__()
        self.guide = guide

    def forward(self, x: Tensor, z: Tensor, c: Tensor | None = None) -> Tensor:
        """Return log q(z | x, c) ``(K, N)`` for z ``(K, N, D)``."""
        with local_parameters(self.guide), pyro.plate("particles", len(z), dim=-2):
            trace = poutine.trace(poutine.condition(self.guide, {"z": z})).get_trace(*present(x, c))
        return distribution_at(trace, "z").log_prob(z)
