"""A Pyro ELBO as an objective."""

from pyro.infer import ELBO
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.inference.conditions import present
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.training.kl_weight import KLWeight
from obsvae.inference.training.objectives.base import Objective
from obsvae.local import local_parameters


class PyroELBO(Objective):
    r"""Minus the ELBO per datum, by one of Pyro's estimators.

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
        super().__init__(model, guide)
        self.elbo = elbo

    @property
    def bound(self) -> str:
        """ELBO, or ``objective`` where it bounds no likelihood, as of a plain autoencoder."""
        return "ELBO" if self.guide.has_density and self.model.is_likelihood else "objective"

    def forward(self, x: Tensor, beta: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the loss for x ``(N, *event)``, a scalar in nats per datum."""
        loss = x.new_zeros(())
        with local_parameters(self.model, self.guide), KLWeight(beta):
            # Not elbo.differentiable_loss: that ends by reading its value, which no exported graph can.
            for traces in self.elbo._get_traces(self.model, self.guide, present(x, c), {}):
                loss = loss + self.elbo._differentiable_loss_particle(*traces)[1]
        return loss / (self.elbo.num_particles * len(x))
