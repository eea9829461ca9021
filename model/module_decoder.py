"""A torch Module in the place of a decoder."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from obsvae.model.decoders import Decoder


class ModuleDecoder(Decoder):
    r"""A torch Module as a decoder, with a bias of each output, from which training starts.

    .. math:: \eta(z) = f(z) + b

    Args:
        module: f, from ``(B, latent)`` to ``(B, *event, outputs)``: it need not know of batches of more axes.
        latent: size of z.
        event_shape: shape of one datum.
        outputs: raw outputs per feature.
    """

    def __init__(self, module: nn.Module, latent: int, event_shape: Sequence[int], outputs: int) -> None:
        super().__init__(latent, event_shape, outputs)
        self.module = module
        self.bias = nn.Parameter(torch.zeros(*event_shape, outputs))

    def forward(self, z: Tensor) -> Tensor:
        """Return eta."""
        eta = self.module(z.reshape(-1, self.latent)) + self.bias
        return eta.unflatten(0, z.shape[:-1]) if z.ndim > 1 else eta.squeeze(0)

    @torch.no_grad()
    def set_bias(self, eta: Tensor) -> None:
        """Set the bias."""
        self.bias.copy_(eta)
