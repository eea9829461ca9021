"""The guide that is a normalising flow."""

import pyro.distributions as dist
from torch import Tensor
from torch.nn import functional as F

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.flows import FLOW_OPTIONS, Flow
from obsvae.guides.base import Guide, latent_of
from obsvae.guides.encoders import Encoder
from obsvae.options import WHOLE_NUMBER, Option


class AmortisedFlow(Guide):
    r"""A diagonal Normal whose draws invertible maps move; both depend on x.

    .. math:: z = T_{h(x)}(u), \qquad u_d \sim \mathcal{N}\big(m_d(x),\; s_d(x)^2\big), \qquad
              s_d = \text{floor} + \operatorname{softplus}(r_d)

    A draw and its density take one pass through the maps. The density of another z takes two with couplings, and D + 1
    with autoregressive maps, which refined estimates ask for.

    Args:
        encoder: a network with 2 D + C outputs: m, r and the context h that the maps see.
        kind: ``coupling`` or ``autoregressive``, see :class:`Flow`.
        transforms: number of maps.
        width: of their networks' hidden layers.
        context: C.
        floor: least s.

    Raises:
        UsageError: for options out of range, where the encoder has another number of outputs, or zuko is not installed.

    Reference: Kingma et al., *Improving variational inference with inverse autoregressive flow*, NeurIPS 2016.
    """

    options = (*FLOW_OPTIONS, Option("context", WHOLE_NUMBER, 32))

    def __init__(
        self,
        encoder: Encoder,
        kind: str = "coupling",
        transforms: int = 3,
        width: int = 64,
        context: int = 32,
        floor: float = 1e-4,
    ) -> None:
        self.outputs(1, context=context)
        D = latent_of(encoder, f"2 D + {context} outputs", (encoder.outputs - context) / 2)
        super().__init__(encoder)
        self.latent, self.floor = D, floor
        self.flow = Flow(D, context, kind, transforms, width)

    @staticmethod
    def outputs(latent: int, *, context: int = 32, **options: object) -> int:
        """Return how many outputs the encoder needs for a latent of this size."""
        if context < 1:
            raise UsageError(f"guide flow needs a context of at least 1, but got {context}")
        return 2 * latent + context

    def given(self, x: Tensor, c: Tensor | None = None) -> Distribution:
        """Return q(z | x, c) for x ``(N, *event)`` and c ``(N, C)``."""
        D = self.latent
        loc, raw, context = self.encoder(x, c).tensor_split((D, 2 * D), -1)
        base = dist.Normal(loc, self.floor + F.softplus(raw)).to_event(1)
        return self.flow(base, context, scores_fast=False)
