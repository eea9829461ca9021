"""Shapes of decoders that make posteriors hard: symmetric, wiggly, flat, and some that are not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from obsvae.model import Decoder
from obsvae.modes import seeded
from obsvae.module import TypedModule

# Draws from the prior that say where a signal lies.
_DRAWS = 4096


class Formula(TypedModule):
    """The same function of z for every feature: ``(*batch, latent)`` to ``(*batch, 1)``."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, z: Tensor) -> Tensor:
        """Return the signal."""
        return self.function(z).unsqueeze(-1)


def _network(latent: int, features: int, activation: nn.Module, steepness: float, width: int = 16) -> nn.Module:
    """Return a network of random weights, whose units have their kinks where the prior has its mass."""
    first, last = nn.Linear(latent, width), nn.Linear(width, features)
    with torch.no_grad():
        direction = nn.functional.normalize(torch.randn(width, latent), dim=-1)
        first.weight.copy_(steepness * direction)
        first.bias.copy_(steepness * torch.randn(width))
        last.weight.copy_(torch.randn(features, width))
    return nn.Sequential(first, activation, last)


def _staircase(z: Tensor) -> Tensor:
    steps = torch.tensor([-1.8, -0.6, 0.6, 1.8], dtype=z.dtype, device=z.device)
    return torch.tanh(10.0 * (z - steps)).sum(-1)  # z (*batch, 1)


@dataclass(frozen=True)
class Shape:
    """A function of z that the decoder's outputs follow.

    Attributes:
        latent: size of z.
        make: returns the function, ``(*batch, latent)`` to ``(*batch, features)`` or ``(*batch, 1)``, for a number of
            features; random where it draws.
        is_unimodal: whether a log-concave likelihood of its outputs gives posteriors of one mode, but for rare data.
    """

    latent: int
    make: Callable[[int], nn.Module]
    is_unimodal: bool = False


def _formula(function: Callable[[Tensor], Tensor], latent: int = 1, is_unimodal: bool = False) -> Shape:
    return Shape(latent, lambda features: Formula(function), is_unimodal)


def _linear(features: int) -> nn.Module:
    layer = nn.Linear(2, features, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(features, 2))
    return layer


SHAPES: Mapping[str, Shape] = {
    "|z|": _formula(lambda z: z[..., 0].abs()),
    "z²": _formula(lambda z: z[..., 0].square()),
    "sin 3z": _formula(lambda z: torch.sin(3.0 * z[..., 0])),
    "sin 8z": _formula(lambda z: torch.sin(8.0 * z[..., 0])),
    # hypot has no gradient at the origin, where no draw lies.
    "ring": _formula(lambda z: torch.hypot(z[..., 0], z[..., 1]), 2),
    "product": _formula(lambda z: z[..., 0] * z[..., 1], 2),
    "steps": _formula(_staircase),
    "ReLU network": Shape(1, lambda features: _network(1, features, nn.ReLU(), 1.0)),
    "tanh network": Shape(2, lambda features: _network(2, features, nn.Tanh(), 2.0)),
    "linear": _formula(lambda z: z[..., 0], is_unimodal=True),
    "cubic": _formula(lambda z: z[..., 0] + z[..., 0].pow(3) / 3.0, is_unimodal=True),
    "saturating": _formula(lambda z: torch.tanh(2.0 * z[..., 0]), is_unimodal=True),
    "linear, 2 latents": Shape(2, _linear, is_unimodal=True),
}


class ShapedDecoder(Decoder):
    r"""Outputs that follow a shape, with a gain, a sign and an offset for each feature.

    .. math:: \eta_{fo}(z) = b_{fo} + g_{fo} \frac{s_f(z) - \operatorname{E} s_f}{\operatorname{sd} s_f},
              \qquad z \sim \mathcal{N}(0, I)

    Args:
        shape: of s.
        offsets: b, ``(features, outputs)``.
        gains: g, likewise.
        seed: of the shape, where it is random.
    """

    centre: Tensor
    unit: Tensor
    gains: Tensor

    def __init__(self, shape: Shape, offsets: Tensor, gains: Tensor, seed: int) -> None:
        super().__init__(shape.latent, offsets.shape[:1], offsets.shape[1])
        with seeded(seed, torch.device("cpu")), torch.no_grad():
            self.signal = shape.make(len(offsets))
            drawn = self.signal(torch.randn(_DRAWS, shape.latent))
        self.register_buffer("centre", drawn.mean(0))
        self.register_buffer("unit", drawn.std(0))
        self.register_buffer("gains", gains)
        self.offsets = nn.Parameter(offsets)

    def forward(self, z: Tensor) -> Tensor:
        """Return eta ``(*batch, features, outputs)``."""
        signal = (self.signal(z) - self.centre) / self.unit
        return self.offsets + self.gains * signal.unsqueeze(-1)

    @torch.no_grad()
    def set_bias(self, eta: Tensor) -> None:
        """Set the offsets."""
        self.offsets.copy_(eta)
