"""A step of stochastic variational inference: loss, gradient, and Adam's update."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor


class Step:
    """Takes a step on a minibatch, an operation after another.

    Args:
        loss_of: minus the ELBO per datum, of x ``(N, *event)`` and the weight of its KL term.
        parameters: to update.
        optimiser: of these.
        clip: greatest norm of the gradient. None: no limit.
        decay: share of the learning rate by which weights are drawn to 0, those of less than two axes left out.

    Reference: Loshchilov and Hutter, *Decoupled weight decay regularization*, ICLR 2019.
    """

    def __init__(
        self,
        loss_of: Callable[[Tensor, Tensor], Tensor],
        parameters: Sequence[Tensor],
        optimiser: torch.optim.Adam,
        clip: float | None,
        decay: float = 0.0,
    ) -> None:
        self.loss_of, self.parameters, self.optimiser, self.clip = loss_of, list(parameters), optimiser, clip
        self.decay = decay
        self.is_compiled: bool | None = False

    def go_on(self, taken: int, is_compiled: bool) -> None:
        """Go on after a number of steps, of which the last were compiled or not."""

    def __call__(self, x: Tensor, beta: Tensor) -> Tensor:
        """Return the loss per datum before the update.

        Raises:
            FloatingPointError: where it is not finite; nothing is updated then.
        """
        loss = self.loss_of(x, beta)
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
        if self.decay:
            kept = 1.0 - self.optimiser.param_groups[0]["lr"] * self.decay
            for parameter in self.parameters:
                if is_decayed(parameter) and parameter.grad is not None:
                    parameter.mul_(kept)
        self.optimiser.step()


def require_finite(loss: Tensor) -> None:
    """Raise FloatingPointError for a loss that is not finite."""
    if not math.isfinite(loss.item()):
        raise FloatingPointError(f"the loss is {loss.item():g}")


def is_decayed(parameter: Tensor) -> bool:
    """Return whether weight decay is of a parameter: it is of weights, and not of biases and scales."""
    return parameter.ndim >= 2
