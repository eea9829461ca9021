"""An objective as a plain graph of tensor operations."""

import torch
from torch import Tensor
from torch.fx import GraphModule

from obsvae.inference.conditions import present
from obsvae.inference.modes import unchecked
from obsvae.inference.training.objectives.base import Objective
from obsvae.inference.training.objectives.products import round_products


class ExportedObjective:
    """The objective without Pyro's running costs: traced once for each batch size, then run as a plain torch graph.

    The graph holds the very parameters of the objective, and draws the same random numbers.

    Args:
        objective: in the mode (training or evaluation) in which the graph shall be.
        products: the type of number in which networks multiply, see :func:`round_products`; None: that of the weights.
    """

    def __init__(self, objective: Objective, products: torch.dtype | None = None) -> None:
        self.objective, self.products = objective, products
        self.graphs: dict[int, GraphModule] = {}

    def __call__(self, x: Tensor, beta: Tensor, c: Tensor | None = None) -> Tensor:
        """Return ``objective(x, beta, c)``, up to the rounding of products."""
        return self.graph(x, beta, c)(*present(x, beta, c))

    def graph(self, x: Tensor, beta: Tensor, c: Tensor | None = None) -> GraphModule:
        """Return the graph for minibatches of the size of x; it takes c where there are conditions."""
        if len(x) not in self.graphs:
            self.graphs[len(x)] = self._export(present(x, beta, c))
        return self.graphs[len(x)]

    def _export(self, arguments: tuple[Tensor, ...]) -> GraphModule:
        x = arguments[0]
        with unchecked(), torch.random.fork_rng(devices=[x.device] if x.device.type == "cuda" else []):
            # Without guards: the graph is only ever called with the shape it was traced for.
            graph = torch.export.export(self.objective, arguments, strict=False).module(check_guards=False)
        # Pyro scores every site of both traces; the scores that an analytic KL does not need are dropped here.
        graph.graph.eliminate_dead_code()
        graph.recompile()
        if self.products is not None:
            round_products(graph, self.products)
        return graph
