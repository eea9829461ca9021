"""An objective as a plain graph of tensor operations."""

import warnings

import torch
from torch import Tensor
from torch.fx import GraphModule

from obsvae.errors import UsageError
from obsvae.inference.conditions import present
from obsvae.inference.modes import unchecked
from obsvae.inference.processes.interrupts import Interrupts
from obsvae.inference.training.objectives.base import Objective
from obsvae.inference.training.objectives.products import round_products
from obsvae.inference.training.objectives.sources import forgetting_sources


class ExportedObjective:
    """The objective without Pyro's running costs: traced once for each batch size, then run as a plain torch graph.

    The graph holds the very parameters of the objective, and draws the same random numbers. A program that is no graph,
    such as one that branches on values, is run as it is, after a warning that says why.

    Args:
        objective: in the mode (training or evaluation) in which the graph shall be.
        products: the type of number in which networks multiply, see :func:`round_products`; None: that of the weights.
    """

    def __init__(self, objective: Objective, products: torch.dtype | None = None) -> None:
        self.objective, self.products = objective, products
        self.graphs: dict[int, GraphModule] = {}
        self.is_graph = True

    def __call__(self, x: Tensor, beta: Tensor, c: Tensor | None = None) -> Tensor:
        """Return ``objective(x, beta, c)``, up to the rounding of products."""
        graph = self.graph(x, beta, c)
        return (self.objective if graph is None else graph)(*present(x, beta, c))

    def graph(self, x: Tensor, beta: Tensor, c: Tensor | None = None) -> GraphModule | None:
        """Return the graph for minibatches of the size of x, which takes c where there are conditions.

        None where there is none, after a line that says why.

        Raises:
            UsageError: where there is none whose products could be rounded.
        """
        if self.is_graph and len(x) not in self.graphs:
            try:
                graph = self._export(present(x, beta, c))
            except Exception as error:  # whatever torch says of a program that may run all the same
                # torch raises some errors again, with advice in the place of what they say.
                told = str(error if error.__cause__ is None else error.__cause__)
                lines = [line.strip() for line in told.splitlines() if line.strip()]
                why = f"{type(error).__name__}: {lines[0] if lines else 'no reason is known'}"
                if self.products is not None:
                    raise UsageError(
                        f"precision='bf16' needs a pair that can be exported as a graph ({why}); leave it out"
                    ) from error
                warnings.warn(f"the pair cannot be exported as a graph ({why}); training goes on, slower", stacklevel=2)
                self.is_graph = False
            else:
                if self.products is not None:
                    round_products(graph, self.products)
                self.graphs[len(x)] = graph
        return self.graphs.get(len(x)) if self.is_graph else None

    def _export(self, arguments: tuple[Tensor, ...]) -> GraphModule:
        x = arguments[0]
        devices = [x.device] if x.device.type == "cuda" else []
        # An interrupt within torch's tracing aborts the process.
        with Interrupts().deferred(), unchecked(), forgetting_sources(), torch.random.fork_rng(devices=devices):
            # Without guards: the graph is only ever called with the shape it was traced for.
            graph = torch.export.export(self.objective, arguments, strict=False).module(check_guards=False)
            # Pyro scores every site of both traces; the scores that an analytic KL does not need are dropped here.
            graph.graph.eliminate_dead_code()
            graph.recompile()
        return graph
