"""How the steps of a training are taken."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from obsvae.inference.conditions import batches
from obsvae.inference.processes.alone import Processes
from obsvae.inference.training.objectives.base import Objective
from obsvae.inference.training.objectives.exported import ExportedObjective
from obsvae.inference.training.steps.compiled import CompiledStep
from obsvae.inference.training.steps.shared import SharedStep
from obsvae.inference.training.steps.shared_objective import SharedObjective
from obsvae.inference.training.steps.step import Decay, Step
from obsvae.modes import seeded


def step_for(
    objective: Objective,
    adam: torch.optim.Adam,
    clip: float | None,
    decay: Decay,
    *,
    exported: bool,
    compiled: bool | Literal["auto"],
    products: torch.dtype | None,
    batch_size: int,
    most: int,
    may_end: bool,
    tell: Callable[[str], None],
    processes: Processes,
) -> Step:
    """Return what takes the steps of a training.

    Args:
        objective: minus the ELBO per datum.
        adam: of its parameters.
        clip: greatest norm of the gradient; None: no limit.
        decay: draws weights to 0.
        exported: as :func:`fit` takes it, like ``compiled``.
        compiled: whether to compile, or ``"auto"``.
        products: the type of number in which networks multiply; None: that of the weights. Others need ``exported``.
        batch_size: data in a minibatch, where there are as many.
        most: number of steps at most.
        may_end: whether training may end before.
        tell: is called with a line for the user.
        processes: that share the training.
    """
    parameters = list(objective.parameters())
    if processes.size > 1:
        if compiled:
            tell("steps that several processes share are not compiled")
        return SharedStep(SharedObjective(objective, processes), parameters, adam, clip, decay, processes)
    if not exported:
        return Step(objective, parameters, adam, clip, decay)
    graphs = ExportedObjective(objective, products)
    if compiled:
        return CompiledStep(
            graphs,
            parameters,
            adam,
            clip,
            decay,
            batch_size=batch_size,
            steps=most if compiled == "auto" else None,
            may_end=may_end,
            tell=tell,
        )
    return Step(graphs, parameters, adam, clip, decay)


class Validation:
    """The mean ELBO of validation data.

    Args:
        objective: minus the ELBO per datum.
        beta: weight of the KL term.
        x: the data ``(N, *event)``.
        c: their conditions ``(N, C)``; None where there are none.
        seed: of z.
        processes: that share the rows.
        batch_size: how many data at a time, with a draw of z each.
    """

    def __init__(
        self,
        objective: Objective,
        beta: float,
        x: Tensor,
        c: Tensor | None,
        seed: int,
        processes: Processes,
        batch_size: int = 500,
    ) -> None:
        self.x, self.c, self.beta, self.seed = x, c, x.new_tensor(beta), seed
        self.processes, self.batch_size = processes, max(1, batch_size // objective.particles)
        self.share: Callable[[Tensor, Tensor, Tensor | None], Tensor] = objective
        if processes.size > 1:
            self.share = SharedObjective(objective, processes)

    def __call__(self) -> float:
        """Return it in nats per datum, in evaluation mode."""
        # The same draws of z at every epoch: differences between epochs are then those of the weights.
        with seeded(self.seed, self.x.device):
            each = batches(self.x, self.c, self.batch_size)
            losses = [self.share(batch, self.beta, c).item() * len(batch) for batch, c in each]
        total = self.processes.sum(torch.tensor(sum(losses), dtype=torch.float64))
        return -total.item() / len(self.x)
