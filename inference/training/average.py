"""The exponential moving average of weights over the steps of a training."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

# The first step's weights make up nine tenths of the average after it.
_WARMUP = 9


class Average:
    r"""The exponential moving average of a module's parameters.

    .. math:: a_t = d_t\, a_{t-1} + (1 - d_t)\, \theta_t, \qquad d_t = \min\!\left(d, \frac{t}{t + 9}\right),
              \qquad a_0 = \theta_0

    The smaller d_t of the first steps takes the weights that training started from out of the average, whatever d: it
    is over about the last tenth of the steps at first, and later over about the last 1 / (1 - d). Buffers are not
    averaged.

    Args:
        decay: d, above 0 and below 1.
        module: of the parameters θ, which are changed in place.
        taken: t, steps that were taken before.

    References: Polyak and Juditsky, *Acceleration of stochastic approximation by averaging*, 1992; the warm-up is that
    of TensorFlow's ``ExponentialMovingAverage`` with ``num_updates``; one of its kind: Karras et al., *Elucidating the
    design space of diffusion-based generative models*, NeurIPS 2022, appendix F.
    """

    def __init__(self, decay: float, module: nn.Module, taken: int = 0) -> None:
        self.decay, self.taken = decay, taken
        # A parameter that two parts share has two names, as in a state_dict.
        found = dict(module.named_parameters(remove_duplicate=False))
        self.names, self.parameters = list(found), [parameter.detach() for parameter in found.values()]
        self.averages = [parameter.clone() for parameter in self.parameters]

    def update(self) -> None:
        """Take the weights after a step into the average."""
        self.taken += 1
        decay = min(self.decay, self.taken / (self.taken + _WARMUP))
        torch._foreach_lerp_(self.averages, self.parameters, 1.0 - decay)

    def named(self) -> dict[str, Tensor]:
        """Return the average by the names of the parameters."""
        return dict(zip(self.names, self.averages, strict=True))

    def restore(self, averages: Mapping[str, Tensor]) -> None:
        """Go on from an average that :meth:`named` returned."""
        for name, average in zip(self.names, self.averages, strict=True):
            average.copy_(averages[name])

    @contextmanager
    def in_place(self) -> Iterator[dict[str, Tensor]]:
        """Let the module have the average for its weights, and give the weights, by name, to who asks."""
        weights = [parameter.clone() for parameter in self.parameters]
        torch._foreach_copy_(self.parameters, self.averages)
        try:
            yield dict(zip(self.names, weights, strict=True))
        finally:
            torch._foreach_copy_(self.parameters, weights)
