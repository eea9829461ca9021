"""The training objective: a Pyro ELBO as a torch module, and as a plain graph of tensor operations."""

import torch
from pyro.infer import ELBO
from torch import Tensor, nn
from torch.fx import GraphModule

from obsvae.errors import UsageError
from obsvae.inference.modes import unchecked
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.training.kl_weight import KLWeight
from obsvae.local import local_parameters


class Objective(nn.Module):
    r"""Minus the ELBO per datum of a minibatch, with a weight on its KL term.

    Args:
        model: the generative model.
        guide: its guide.
        elbo: a Pyro ELBO over traces, such as :class:`pyro.infer.TraceMeanField_ELBO` or
            :class:`pyro.infer.Trace_ELBO`.

    Raises:
        UsageError: for an ELBO that is no sum over traces, such as :class:`pyro.infer.RenyiELBO`.
    """

    def __init__(self, model: GenerativeModel, guide: AmortisedGuide, elbo: ELBO) -> None:
        if not hasattr(elbo, "_differentiable_loss_particle"):
            raise UsageError(
                f"{type(elbo).__name__} has no differentiable loss per trace; take TraceMeanField_ELBO or Trace_ELBO"
            )
        super().__init__()
        self.model, self.guide, self.elbo = model, guide, elbo

    def forward(self, x: Tensor, beta: Tensor) -> Tensor:
        """Return the loss for x ``(N, *event)``, a scalar in nats per datum."""
        loss = x.new_zeros(())
        with local_parameters(self.model, self.guide), KLWeight(beta):
            # Not elbo.differentiable_loss: that ends by reading its value, which no exported graph can.
            for traces in self.elbo._get_traces(self.model, self.guide, (x,), {}):
                loss = loss + self.elbo._differentiable_loss_particle(*traces)[1]
        return loss / (self.elbo.num_particles * len(x))


class ExportedObjective:
    """The objective without Pyro's running costs: traced once for each batch size, then run as a plain torch graph.

    The graph holds the very parameters of the objective, and draws the same random numbers.

    Args:
        objective: in the mode (training or evaluation) in which the graph shall be.
    """

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.graphs: dict[int, GraphModule] = {}

    def __call__(self, x: Tensor, beta: Tensor) -> Tensor:
        """Return ``objective(x, beta)``."""
        return self.graph(x, beta)(x, beta)

    def graph(self, x: Tensor, beta: Tensor) -> GraphModule:
        """Return the graph for minibatches of the size of x."""
        if len(x) not in self.graphs:
            self.graphs[len(x)] = self._export(x, beta)
        return self.graphs[len(x)]

    def _export(self, x: Tensor, beta: Tensor) -> GraphModule:
        with unchecked(), torch.random.fork_rng(devices=[x.device] if x.device.type == "cuda" else []):
            # Without guards: the graph is only ever called with the shape it was traced for.
            graph = torch.export.export(self.objective, (x, beta), strict=False).module(check_guards=False)
        # Pyro scores every site of both traces; the scores that an analytic KL does not need are dropped here.
        graph.graph.eliminate_dead_code()
        graph.recompile()
        return graph
