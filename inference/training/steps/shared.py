"""A step of training whose minibatch several processes share."""

from collections.abc import Sequence

import torch
from torch import Tensor

from obsvae.inference.processes.alone import Processes
from obsvae.inference.training.steps.shared_objective import SharedObjective
from obsvae.inference.training.steps.step import Decay, Step, require_finite


class SharedStep(Step):
    """Takes the steps of :class:`Step`, whose loss and gradient are sums of the shares of several processes.

    All of them take the same step with the same bits. What they add up is one vector: whether one is to end, the loss,
    which parameters it depends on, and the gradient.

    Args:
        objective: the share of this process.
        parameters: to update.
        optimiser: of these.
        clip: greatest norm of the gradient. None: no limit.
        decay: draws weights to 0.
        processes: that share the work.
    """

    def __init__(
        self,
        objective: SharedObjective,
        parameters: Sequence[Tensor],
        optimiser: torch.optim.Adam,
        clip: float | None,
        decay: Decay,
        processes: Processes,
    ) -> None:
        super().__init__(objective, [one for one in parameters if one.requires_grad], optimiser, clip, decay)
        self.processes = processes

    def __call__(self, x: Tensor, beta: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the loss per datum before the update.

        Raises:
            FloatingPointError: where it is not finite; nothing is updated then.
            KeyboardInterrupt: where one of the processes was interrupted; nothing is updated then.
        """
        share = self.loss_of(x, beta, c)
        gradients: Sequence[Tensor | None] = [None] * len(self.parameters)
        if share.requires_grad:
            gradients = torch.autograd.grad(share, self.parameters, allow_unused=True)
        first = [float(self.processes.interrupts.count), 0.0, *(float(one is not None) for one in gradients)]
        head = share.new_tensor(first)
        head[1] = share.detach()
        pairs = zip(gradients, self.parameters, strict=True)
        flat = torch.cat([head, *(p.new_zeros(p.numel()) if g is None else g.flatten() for g, p in pairs)])
        flat = self.processes.sum(flat)
        is_ending, _, *used = flat[: len(head)].tolist()
        if is_ending:
            self.processes.interrupts.end()
        loss = flat[1].clone()
        require_finite(loss)
        sizes = [parameter.numel() for parameter in self.parameters]
        for parameter, gradient, is_used in zip(self.parameters, flat[len(head) :].split(sizes), used, strict=True):
            # Adam keeps no state for what the loss does not depend on.
            parameter.grad = gradient.view_as(parameter) if is_used else None
        if self.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.clip)
        self.update()
        return loss
