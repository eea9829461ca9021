"""What stands for a network of the user's own where it is not made: nothing is known of it."""

from collections.abc import Sequence

from torch import Tensor

from obsvae.guides import Encoder, Inputs
from obsvae.model import Decoder


class UnknownDecoder(Decoder):
    """A decoder without parameters, which is never run."""

    def __init__(self, latent: int, event_shape: Sequence[int], outputs: int, hidden: Sequence[int]) -> None:
        super().__init__(latent, event_shape, outputs)

    def forward(self, z: Tensor) -> Tensor:
        """Raise NotImplementedError: nothing runs this network."""
        raise NotImplementedError

    def set_bias(self, eta: Tensor) -> None:
        """Raise NotImplementedError: nothing runs this network."""
        raise NotImplementedError


class UnknownEncoder(Encoder):
    """An encoder without parameters, which is never run."""

    def __init__(
        self,
        event_shape: Sequence[int],
        outputs: int,
        hidden: Sequence[int],
        inputs: Inputs | None = None,
        conditions: int = 0,
    ) -> None:
        super().__init__(event_shape, outputs, inputs, conditions)

    def network(self, u: Tensor, c: Tensor | None = None) -> Tensor:
        """Raise NotImplementedError: nothing runs this network."""
        raise NotImplementedError
