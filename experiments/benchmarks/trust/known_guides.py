"""Guides that know the posterior, and propose well or badly on purpose."""

from collections.abc import Callable, Mapping

import numpy as np
import pyro.distributions as dist
import torch
from torch import Tensor, nn

from obsvae.distribution import Distribution
from obsvae.experiments.benchmarks.trust.quadrature import Posteriors
from obsvae.experiments.benchmarks.trust.scores import score_one
from obsvae.guides import Encoder, Guide
from obsvae.inference.modes import unchecked
from obsvae.model import VAE
from obsvae.modes import evaluating

_AWAY, _SURE = 3.0, 0.1
# Where the width of a mode is looked for.
_WIDTHS, _TRIED = (1e-4, 20.0), 250


class Table(Encoder):
    """Looks each datum up among those it knows, by its content: the same answer in whatever batch.

    Args:
        x: the data that it knows, ``(N, *event)``.
        outputs: what it answers, ``(N, outputs)``.
    """

    known: Tensor

    def __init__(self, x: Tensor, outputs: Tensor) -> None:
        super().__init__(x.shape[1:], outputs.shape[1])
        self.register_buffer("known", x)
        self.answers = nn.Parameter(outputs)

    def network(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the answers ``(B, outputs)``."""
        same = (x.unsqueeze(1) == self.known).flatten(2).all(-1)  # (B, N)
        if not same.any(1).all():
            raise KeyError("this guide was made for other data")
        return self.answers[same.to(torch.uint8).argmax(1)]


class KnownNormal(Guide):
    """A Normal for each datum whose parameters are looked up.

    Args:
        encoder: gives locations and scales, ``(B, 2 D)``.
    """

    @staticmethod
    def outputs(latent: int) -> int:
        """Return how many outputs the encoder needs for a latent of this size."""
        return 2 * latent

    def given(self, x: Tensor, c: Tensor | None = None) -> Distribution:
        """Return q(z | x) for x ``(N, *event)``."""
        loc, scale = self.encoder(x).chunk(2, -1)
        return dist.Normal(loc, scale).to_event(1)


# From posteriors, and the width of the highest mode by its curvature, to location and scale.
_Rule = Callable[[Posteriors, Tensor], tuple[Tensor, Tensor]]

KNOWN_GUIDES: Mapping[str, _Rule] = {
    "moments": lambda p, width: (p.mean, p.std),
    "prior": lambda p, width: (torch.zeros_like(p.mean), torch.ones_like(p.std)),
    "one mode": lambda p, width: (p.mode, width),
    "mirrored": lambda p, width: (-p.mode, width),
    "too narrow": lambda p, width: (p.mean, p.std / 10.0),
    "too wide": lambda p, width: (p.mean, p.std * 10.0),
    "elsewhere": lambda p, width: (p.mode + _AWAY, torch.full_like(width, _SURE)),
}


def known_guides(model: VAE, x: Tensor, posteriors: Posteriors) -> dict[str, KnownNormal]:
    """Return every guide in ``KNOWN_GUIDES`` for data ``(N, *event)``.

    Args:
        model: in double precision.
        x: the data.
        posteriors: of the data.
    """
    with evaluating(model), unchecked():
        width = _width_of_mode(model, x, posteriors.mode)
    return {
        name: KnownNormal(Table(x, torch.cat(rule(posteriors, width), -1).to(torch.get_default_dtype())))
        for name, rule in KNOWN_GUIDES.items()
    }


def _width_of_mode(model: VAE, x: Tensor, mode: Tensor) -> Tensor:
    """Return how far from the mode log p(x, z) has fallen by half a nat along each axis, on average of both sides.

    That of a Normal is its standard deviation; it is one where a kink or a flat top leaves no curvature, too.
    """
    away = torch.from_numpy(np.geomspace(*_WIDTHS, _TRIED))
    width = torch.empty_like(mode)
    for n, d in np.ndindex(*mode.shape):
        step = torch.zeros(_TRIED, mode.shape[1], dtype=mode.dtype)
        step[:, d] = away
        sides = torch.cat([mode[n] + step, mode[n] - step, mode[n : n + 1]])
        log_p = score_one(model, sides, x[n])
        fallen = log_p[-1] - log_p[:-1].view(2, _TRIED).mean(0)
        width[n, d] = away[(fallen >= 0.5).to(torch.uint8).argmax()]
    return width
