"""The training objective of a minibatch whose rows several processes share."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.fx import GraphModule

from obsvae.errors import UsageError
from obsvae.inference.conditions import present, rows_of
from obsvae.inference.modes import unchecked
from obsvae.inference.processes.alone import Processes
from obsvae.inference.training.objectives.base import Objective
from obsvae.inference.training.objectives.exported import ExportedObjective
from obsvae.inference.training.steps.noise import Draw, without_noise
from obsvae.modes import seeded

# Of a loss in float32, by the order of its sums.
_ROUNDING = 1e-4


@dataclass(frozen=True)
class _Part:
    """What a process does of minibatches of a size.

    Attributes:
        draws: the random numbers of the whole minibatch.
        rows: its own rows.
        graph: minus the ELBO per datum of them, which takes their random numbers; None where there are none.
        axes: of the data, in each of the draws, where others have rows, too.
    """

    draws: list[Draw]
    rows: slice
    graph: GraphModule | None
    axes: list[int]


class SharedObjective:
    r"""A process's share of minus the ELBO per datum of a minibatch; the shares add up to it.

    .. math:: \sum_r \frac{n_r}{B} L_r = L, \qquad \sum_r n_r = B

    All processes get the whole minibatch and draw all of its random numbers, so that their generators stay alike, and
    like that of a process that is alone; each computes L_r of its own n_r rows.

    Args:
        objective: in the mode (training or evaluation) in which it shall be, of which :func:`require_shares` holds.
        processes: that share the work.

    Raises:
        UsageError: where a minibatch draws random numbers that depend on values.
    """

    def __init__(self, objective: Objective, processes: Processes) -> None:
        self.objective, self.processes = objective, processes
        self.parts: dict[int, _Part] = {}

    def __call__(self, x: Tensor, beta: Tensor, c: Tensor | None = None) -> Tensor:
        """Return this process's share for the whole minibatch x ``(N, *event)``: 0 where it has no row."""
        if len(x) not in self.parts:
            self.parts[len(x)] = self._part(x, beta, c)
        part = self.parts[len(x)]
        noise = [draw(x.device) for draw in part.draws]
        if part.graph is None:
            return x.new_zeros(())
        rows = part.rows
        n = rows.stop - rows.start
        if n < len(x):
            noise = [numbers.narrow(axis, rows.start, n) for numbers, axis in zip(noise, part.axes, strict=True)]
        (loss,) = part.graph(*present(x[rows], beta, rows_of(c, rows)), *noise)
        return loss * (n / len(x))

    def _part(self, x: Tensor, beta: Tensor, c: Tensor | None) -> _Part:
        rows = self.processes.part(len(x))
        n = rows.stop - rows.start
        _, draws = without_noise(self._graph(x, beta, c))
        if not n:
            return _Part(draws, rows, None, [])
        graph, own = without_noise(self._graph(x[rows], beta, rows_of(c, rows)))
        if len(own) != len(draws):
            raise UsageError(
                f"several processes need random numbers for each datum, but {len(x)} data draw {len(draws)} times, and "
                f"{n} data {len(own)} times; train in one process"
            )
        axes = []
        if n < len(x):  # of a minibatch of one row it is a process's own
            axes = [one.axis(whole, n, len(x)) for one, whole in zip(own, draws, strict=True)]
        return _Part(draws, rows, graph, axes)

    def _graph(self, x: Tensor, beta: Tensor, c: Tensor | None) -> GraphModule:
        if (graph := ExportedObjective(self.objective).graph(x, beta, c)) is None:
            raise UsageError("several processes need a pair that can be exported as a graph; train in one process")
        return graph


@torch.no_grad()
def require_shares(objective: Objective, x: Tensor, c: Tensor | None = None) -> None:
    """Refuse an objective of a minibatch that is not the mean of those of its data, as two of x ``(N, *event)`` show.

    Args:
        objective: in the mode in which it shall be shared.
        x: data, of which some differ.
        c: their conditions; None where there are none.

    Raises:
        UsageError: where the objective mixes data.
    """
    remedy = "several processes cannot share it; train in one process"
    if not objective.is_mean:
        raise UsageError(f"free bits are of the mean KL of a minibatch: {remedy}, or with free=0")
    for part in objective.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            raise UsageError(f"{type(part).__name__} mixes the data of a minibatch: {remedy}, or take LayerNorm")
    farthest = int((x - x[:1]).nan_to_num().flatten(1).abs().sum(1).argmax())
    pair, beta, given = x[[0, farthest]], x.new_tensor(1.0), rows_of(c, torch.tensor([0, farthest]))
    with unchecked():
        with seeded(0, x.device):
            whole = objective(*present(pair, beta, given)).item()
        shared, total = SharedObjective(objective, Processes(0, 2)), 0.0
        for row in range(2):
            with seeded(0, x.device):
                total += shared(pair, beta, given).item()
            # The graph of the first datum is that of the second, too.
            shared.parts[2] = replace(shared.parts[2], rows=slice(row + 1, row + 2))
    if not math.isfinite(whole):
        return  # the first step tells
    if not math.isclose(whole, total, rel_tol=_ROUNDING, abs_tol=_ROUNDING):
        raise UsageError(
            "the loss of a minibatch is not the mean of the losses of its data, as with a profile likelihood "
            f"(scale=optimal): {remedy}, or take another observation"
        )
