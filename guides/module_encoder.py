"""A torch Module in the place of an encoder."""

from collections.abc import Sequence

from torch import Tensor, nn

from obsvae.guides.encoders import Encoder
from obsvae.guides.inputs import Inputs


class ModuleEncoder(Encoder):
    """A torch Module as an encoder.

    Args:
        module: from what is seen of x, ``(B, *inputs.shape)``, and conditions ``(B, C)`` where there are any, to
            ``(B, outputs)``: it need not know of batches of more axes.
        event_shape: shape of one datum.
        outputs: number of raw outputs.
        inputs: what the module sees of x; by default x, standardised.
        conditions: C.
    """

    def __init__(
        self,
        module: nn.Module,
        event_shape: Sequence[int],
        outputs: int,
        inputs: Inputs | None = None,
        conditions: int = 0,
    ) -> None:
        super().__init__(event_shape, outputs, inputs, conditions)
        self.module = module

    def network(self, u: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the raw outputs."""
        shape = self.inputs.shape
        batch = u.shape[: u.ndim - len(shape)]
        seen = u.reshape(-1, *shape)
        found = self.module(seen) if c is None else self.module(seen, c.reshape(-1, self.conditions))
        return found.unflatten(0, batch) if batch else found.squeeze(0)
