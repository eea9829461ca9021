"""A whole step of training as one compiled function."""

import logging
import math
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, grad_and_value
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx

from obsvae.inference.conditions import present
from obsvae.inference.processes.interrupts import Interrupts
from obsvae.inference.training.objectives.exported import ExportedObjective
from obsvae.inference.training.steps.step import Decay, Step, require_finite

# Seconds that compiling takes, and that it saves in each step: a part for any graph, and one for each operation in it.
# Measured on one core with an empty cache: graphs of 60 to 600 operations, minibatches of 100.
_COMPILING, _COMPILING_OPERATION = 8.0, 85e-3
_SAVED, _SAVED_OPERATION = 0.5e-3, 5e-6
# torch would write an expression of up to 30 operations out again at each place of its use. Densities made of series,
# such as Poisson's, then take many minutes to compile beside other columns; the steps are as fast with 8.
_OPTIONS: dict[str, Any] = {"fallback_random": True, "realize_opcount_threshold": 8}
# Of the minibatch (x, the weight of the KL term, and conditions, if any), three settings that change, buffers,
# parameters and moments.
_Function = Callable[
    [list[Tensor], Tensor, Tensor, Tensor, list[Tensor], list[Tensor], list[Tensor], list[Tensor]], Tensor
]


class CompiledStep(Step):
    r"""Takes the same steps as :class:`Step`: loss, gradient and Adam's update in one compiled function.

    It updates the parameters and the state of the optimiser in place, and draws the same random numbers, so that
    compiled and other steps may follow one another. The first step, which makes the optimiser's state, and minibatches
    of another size are taken uncompiled. Where nothing can be compiled all of them are, after a line that says why.

    .. math:: m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad v \leftarrow \beta_2 v + (1 - \beta_2) g^2, \quad
              \theta \leftarrow \theta - \frac{\alpha}{1 - \beta_1^t} \frac{m}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    Args:
        objective: minus the ELBO per datum, as a graph for each size of a minibatch.
        parameters: to update.
        optimiser: Adam without weight decay, of these.
        clip: greatest norm of the gradient. None: no limit.
        decay: draws weights to 0.
        batch_size: of the minibatches that it is compiled for.
        steps: at most, of this training: it is compiled where they pay for that. None: whatever they are.
        may_end: whether training may end before: it is compiled once as many are taken as would have paid for it.
        tell: is called with a line, once it is compiled since that pays.

    Reference: Kingma and Ba, *Adam: a method for stochastic optimization*, 2015, algorithm 1.
    """

    def __init__(
        self,
        objective: ExportedObjective,
        parameters: Sequence[Tensor],
        optimiser: torch.optim.Adam,
        clip: float | None,
        decay: Decay | None = None,
        *,
        batch_size: int,
        steps: int | None,
        may_end: bool = False,
        tell: Callable[[str], None],
    ) -> None:
        super().__init__(objective, parameters, optimiser, clip, decay)
        self.objective, self.batch_size = objective, batch_size
        self.steps, self.may_end, self.tell = steps, may_end, tell
        self.taken = 0
        self.is_compiled = None  # not yet tried

    def go_on(self, taken: int, is_compiled: bool) -> None:
        """Go on after a number of steps: compiled from the first on where the last of those were."""
        self.taken = taken
        if is_compiled:
            self.steps = None

    def __call__(self, x: Tensor, beta: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the loss per datum before the update.

        Raises:
            FloatingPointError: where it is not finite; the parameters are then as finite as they were before.
        """
        self.taken += 1
        if len(x) == self.batch_size and self.optimiser.state and self.is_compiled is None and self._pays(x, beta, c):
            self.is_compiled = self._compile(x, beta, c)
        if len(x) != self.batch_size or not self.is_compiled:
            return super().__call__(x, beta, c)
        loss = self._take(list(present(x, beta, c)))
        require_finite(loss)
        return loss

    def _pays(self, x: Tensor, beta: Tensor, c: Tensor | None) -> bool:
        """Return whether to compile now; where it never will pay, or there is no graph, that is settled."""
        if (graph := self.objective.graph(x, beta, c)) is None:
            self.is_compiled = False
            return False
        if self.steps is None:
            return True
        operations = sum(node.op == "call_function" for node in graph.graph.nodes)
        compiling = _COMPILING + _COMPILING_OPERATION * operations
        needed = compiling / (_SAVED + _SAVED_OPERATION * operations)
        if self.steps - self.taken < needed or not _has_compiler(x.device):
            self.is_compiled = False
            return False
        # Training that may end at any time is likely to go on for as long as it has gone on.
        if self.may_end and self.taken < needed:
            return False
        left = self.steps - self.taken
        self.tell(f"compiling the step, which may take {compiling:.0f} s: up to {left:,} steps are left")
        return True

    def _compile(self, x: Tensor, beta: Tensor, c: Tensor | None) -> bool:
        """Compile the whole step, of which nothing is run but on copies; return whether that was possible."""
        try:
            if any(parameter._backward_hooks for parameter in self.parameters):
                raise RuntimeError("parameters have hooks, which a compiled step would pass over")
            with Interrupts().deferred():  # one within torch's tracing aborts the process
                self._trace(x, beta, c)
            with _without_remarks(), torch.random.fork_rng(devices=[x.device] if x.device.type == "cuda" else []):
                copies = [[tensor.clone() for tensor in tensors] for tensors in self.moving]
                one = x.new_tensor(1.0)
                self.function(list(present(x, beta, c)), one, one, one, self.buffers, *copies)
        # Of torch's errors of tracing and compiling the one, of a cache that cannot be written the other.
        except (RuntimeError, OSError) as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            why = f"{type(error).__name__}: {lines[0] if lines else 'no reason is known'}"
            warnings.warn(f"the step could not be compiled ({why}); training goes on, slower", stacklevel=2)
            return False
        return True

    def _trace(self, x: Tensor, beta: Tensor, c: Tensor | None) -> None:
        graph = self.objective.graph(x, beta, c)
        assert graph is not None
        of_graph = dict(graph.named_parameters())
        # What the loss does not depend on has no gradient, and the optimiser no state for it.
        names = [name for name, parameter in of_graph.items() if parameter in self.optimiser.state]
        state = [self.optimiser.state[of_graph[name]] for name in names]
        self.counts = [one["step"] for one in state]
        parameters = [of_graph[name].detach() for name in names]
        self.moving = parameters, [one["exp_avg"] for one in state], [one["exp_avg_sq"] for one in state]
        buffers = dict(graph.named_buffers())
        self.buffers = list(buffers.values())
        decayed = [self.decay.rate > 0.0 and self.decay.is_of(of_graph[name]) for name in names]
        step = _whole_step(graph, names, list(buffers), self.optimiser, self.clip, decayed)
        settings = [x.new_tensor(1.0) for _ in range(3)]
        traced = make_fx(step, tracing_mode="fake", _allow_non_fake_inputs=True)(
            list(present(x, beta, c)), *settings, self.buffers, *self.moving
        )
        # The random numbers are torch's, drawn from the generator that uncompiled steps draw from.
        self.function: _Function = torch.compile(traced, fullgraph=True, options=_OPTIONS)

    def _take(self, batch: list[Tensor]) -> Tensor:
        x, group = batch[0], self.optimiser.param_groups[0]
        torch._foreach_add_(self.counts, 1)
        t = self.counts[0].item()
        first, second = group["betas"]
        size = x.new_tensor(group["lr"] / (1 - first**t))
        root = x.new_tensor(math.sqrt(1 - second**t))
        kept = x.new_tensor(1.0 - group["lr"] * self.decay.rate)
        return self.function(batch, size, root, kept, self.buffers, *self.moving)


def _whole_step(
    graph: GraphModule,
    names: Sequence[str],
    buffers: Sequence[str],
    optimiser: torch.optim.Adam,
    clip: float | None,
    decayed: Sequence[bool],
) -> _Function:
    """Return a function of tensors alone that takes a step and returns the loss before it."""
    group = optimiser.param_groups[0]
    (first, second), eps = group["betas"], group["eps"]

    def step(
        batch: list[Tensor],
        size: Tensor,
        root: Tensor,
        kept: Tensor,
        fixed: list[Tensor],
        parameters: list[Tensor],
        means: list[Tensor],
        squares: list[Tensor],
    ) -> Tensor:
        def loss_of(values: Sequence[Tensor]) -> Tensor:
            tensors = dict(zip(buffers, fixed, strict=True)) | dict(zip(names, values, strict=True))
            return functional_call(graph, tensors, tuple(batch))

        gradients, loss = grad_and_value(loss_of)(parameters)
        # A step with a loss that is not finite must leave the parameters finite, which tells what was so first.
        is_finite = torch.isfinite(loss)
        gradients = [torch.where(is_finite, gradient, 0.0) for gradient in gradients]
        if clip is not None:
            norm = torch.nn.utils.get_total_norm(gradients)
            gradients = [gradient * (clip / (norm + 1e-6)).clamp(max=1.0) for gradient in gradients]
        each = zip(parameters, gradients, means, squares, decayed, strict=True)
        for parameter, gradient, mean, square, is_decayed in each:
            mean.lerp_(gradient, 1 - first)
            square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
            if is_decayed:
                parameter.mul_(kept)
            parameter.sub_(size * (mean / (square.sqrt() / root + eps)))
        return loss

    return step


def _has_compiler(device: torch.device) -> bool:
    named = os.environ.get("CXX")
    return device.type != "cpu" or any(shutil.which(name) for name in ([named] if named else ["g++", "clang++"]))


@contextmanager
def _without_remarks() -> Iterator[None]:
    """Leave out torch's remark on machines with CUDA's compiler and without a GPU: that none is found."""
    logger = logging.getLogger("torch.utils.cpp_extension")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
