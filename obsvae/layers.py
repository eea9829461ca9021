"""Layers that encoders and decoders are made of."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from obsvae.module import TypedModule
from obsvae.names import lookup
from obsvae.options import WORD, Option


class Gated(TypedModule):
    r"""A linear map, each output of which another one lets through.

    .. math:: (W x + b) \odot \operatorname{sigmoid}(V x + c)

    Args:
        width_in: size of x.
        width_out: number of outputs.

    References: Dauphin et al., *Language modeling with gated convolutional networks*, ICML 2017; in VAEs: Tomczak and
    Welling, *VAE with a VampPrior*, AISTATS 2018.
    """

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.value, self.gate = nn.Linear(width_in, width_out), nn.Linear(width_in, width_out)

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs."""
        return self.value(x) * torch.sigmoid(self.gate(x))


class Residual(TypedModule):
    r"""Two convolutions of what comes in, added to it: :math:`x + C_2(\max(0, C_1(\max(0, x))))`.

    Args:
        channels: of x ``(N, channels, rows, columns)``.

    Reference: He, Zhang, Ren and Sun, *Identity mappings in deep residual networks*, ECCV 2016.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum."""
        return x + self.branch(x)


# What makes the parts of a hidden layer, from its widths; the first takes what comes in.
_LAYERS: dict[str, Callable[[int, int], Sequence[nn.Module]]] = {
    "relu": lambda width_in, width_out: (nn.Linear(width_in, width_out), nn.ReLU()),
    "tanh": lambda width_in, width_out: (nn.Linear(width_in, width_out), nn.Tanh()),
    "gelu": lambda width_in, width_out: (nn.Linear(width_in, width_out), nn.GELU()),
    "gated": lambda width_in, width_out: (Gated(width_in, width_out),),
}

ACTIVATION = Option("activation", WORD, "relu")


def hidden_layer(activation: str, width_in: int, width_out: int) -> Sequence[nn.Module]:
    """Return the parts of a hidden layer.

    Weights start as torch has them: uniform within 1 / √width_in of 0, biases alike.

    Args:
        activation: ``relu``, ``tanh``, ``gelu`` or ``gated``.
        width_in: size of what comes in.
        width_out: size of the layer.

    Raises:
        UsageError: for another activation.
    """
    return lookup("activation", activation, _LAYERS)(width_in, width_out)
