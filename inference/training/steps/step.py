"""A step of stochastic variational inference: loss, gradient, and Adam's update."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Decay:
    """The decay of weights, decoupled from their gradients.

    Attributes:
        rate: share of the learning rate by which a step draws them to 0.
        module: whose linear maps and convolutions have them: biases, scales and parameters of priors are left out.

    Reference: Loshchilov and Hutter, *Decoupled weight decay regularization*, ICLR 2019.
    """

    rate: float
    module: nn.Module | None = None

    @cached_property
    def weights(self) -> list[Tensor]:
        """The weights that are drawn to 0."""
        parts = () if self.module is None else self.module.modules()
        return [part.weight for part in parts if isinstance(part, nn.Linear | nn.modules.conv._ConvNd)]

    def is_of(self, parameter: Tensor) -> bool:
        """Return whether a parameter is one of them."""
        return any(parameter is weight for weight in self.weights)


class Step:
    """Takes a step on a minibatch, an operation after another.

    Args:
        loss_of: minus the ELBO per datum, of x ``(N, *event)``, the weight of its KL term, and conditions, if any.
        parameters: to update.
        optimiser: of these.
        clip: greatest norm of the gradient. None: no limit.
        decay: draws weights to 0.
    """

    def __init__(
        self,
        loss_of: Callable[[Tensor, Tensor, Tensor | None], Tensor],
        parameters: Sequence[Tensor],
        optimiser: torch.optim.Adam,
        clip: float | None,
        decay: Decay | None = None,
    ) -> None:
        self.loss_of, self.parameters, self.optimiser, self.clip = loss_of, list(parameters), optimiser, clip
        self.decay = Decay(0.0) if decay is None else decay
        self.is_compiled: bool | None = False

    def go_on(self, taken: int, is_compiled: bool) -> None:
        """Go on after a number of steps, of which the last were compiled or not."""

    def __call__(self, x: Tensor, beta: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the loss per datum before the update.

        Raises:
            FloatingPointError: where it is not finite; nothing is updated then.
        """
        loss = self.loss_of(x, beta, c)
        self.optimiser.zero_grad()
        loss.backward()
        require_finite(loss)
        if self.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.clip)
        self.update()
        return loss.detach()

    @torch.no_grad()
    def update(self) -> None:
        """Draw weights to 0, and update the parameters by their gradients."""
        if self.decay.rate:
            kept = 1.0 - self.optimiser.param_groups[0]["lr"] * self.decay.rate
            for parameter in self.parameters:
                if self.decay.is_of(parameter) and parameter.grad is not None:
                    parameter.mul_(kept)
        self.optimiser.step()


def require_finite(loss: Tensor) -> None:
    """Raise FloatingPointError for a loss that is not finite."""
    if not math.isfinite(loss.item()):
        raise FloatingPointError(f"the loss is {loss.item():g}")
