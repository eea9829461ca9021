"""Normalising flows by zuko, as distributions of Pyro."""

import importlib.util
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from pyro.distributions import TorchDistribution
from torch import Size, Tensor, nn
from torch.distributions import constraints

from obsvae.distribution import Distribution, Shape
from obsvae.errors import UsageError
from obsvae.module import TypedModule
from obsvae.names import lookup
from obsvae.options import WHOLE_NUMBER, WORD, Option

# The number of passes of zuko's transforms in the slower direction: a coupling needs two, else one a dimension.
_PASSES = {"coupling": 2, "autoregressive": None}

# Beyond these a flow is no small part of a pair, as which its memory is counted.
MOST_TRANSFORMS, WIDEST = 100, 4096

FLOW_OPTIONS = (
    Option("kind", WORD, "coupling"),
    Option("transforms", WHOLE_NUMBER, 3),
    Option("width", WHOLE_NUMBER, 64),
)


class Flow(TypedModule):
    """Invertible maps of z, one after another, each affine in a dimension by a network of others and a context.

    They start as the identity.

    Args:
        latent: D, size of z.
        context: numbers that the networks see beside z; 0 for none.
        kind: ``coupling``: the second half of the dimensions by the first, and in the next map the first by the second;
            ``autoregressive``: each dimension by those before it, and in the next map by those behind.
        transforms: number of maps.
        width: of the networks' two hidden layers.

    Raises:
        UsageError: where zuko is not installed, for another kind, or a number out of range.

    References: Dinh, Sohl-Dickstein and Bengio, *Density estimation using Real NVP*, ICLR 2017 (coupling); Kingma et
    al., *Improving variational inference with inverse autoregressive flow*, NeurIPS 2016; Papamakarios, Pavlakou and
    Murray, *Masked autoregressive flow for density estimation*, NeurIPS 2017.
    """

    def __init__(self, latent: int, context: int, kind: str, transforms: int, width: int) -> None:
        passes = lookup("kind of flow", kind, _PASSES)
        for name, number, most in (("transforms", transforms, MOST_TRANSFORMS), ("width", width, WIDEST)):
            if not 1 <= number <= most:
                raise UsageError(f"a flow needs {name} of 1 to {most}, but got {number}")
        if importlib.util.find_spec("zuko") is None:
            raise UsageError("a flow needs zuko, which is not installed: pip install 'obsvae[flows]'")
        from zuko.flows.autoregressive import MaskedAutoregressiveTransform  # takes a while to load

        super().__init__()
        # On the CPU, where they are small: zuko's masks cannot be made without values, by which memory is counted.
        with torch.device("cpu"), torch.no_grad():
            orders = torch.arange(latent), torch.arange(latent).flip(0)
            self.maps = nn.ModuleList(
                MaskedAutoregressiveTransform(
                    latent,
                    context,
                    passes=passes,
                    order=orders[i % 2],
                    hidden_features=(width, width),
                    activation=nn.SiLU,  # smooth: the curvature of log p(z) is asked for
                )
                for i in range(transforms)
            )
            for one in self.maps:
                # Without anything to see, as of one dimension without a context, there is no network.
                hyper = getattr(one, "hyper", None)
                for parameter in one.parameters() if hyper is None else hyper[-1].parameters():
                    parameter.zero_()

    def forward(self, base: Distribution, context: Tensor | None = None, *, scores_fast: bool) -> "FlowDistribution":
        """Return the distribution of z.

        Args:
            base: batch shape ``(*batch,)``, event shape ``(D,)``.
            context: ``(*batch, context)``.
            scores_fast: whether the maps run from z to the base, so that a density takes one pass and draws may take
                one for each dimension, or the other way round.
        """
        return FlowDistribution(base, [one(context) for one in self.maps], scores_fast)


class FlowDistribution(TorchDistribution):
    r"""The distribution of a draw from a base that invertible maps have moved.

    .. math:: \log q(z) = \log q_0(u) - \log \Big| \det \frac{\partial z}{\partial u} \Big|, \qquad
              z = T_n \circ \dots \circ T_1(u)

    Args:
        base: q0, with event shape ``(D,)``.
        maps: transforms with ``call_and_ladj``, as zuko's have it.
        scores_fast: whether they run from z to u, or from u to z.
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, base: Distribution, maps: Sequence[Any], scores_fast: bool) -> None:
        self.base, self.maps, self.scores_fast = base, list(maps), scores_fast
        self._drawn: tuple[Tensor, Tensor] | None = None
        super().__init__(base.batch_shape, base.event_shape, validate_args=False)

    def expand(self, batch_shape: Shape, _instance: object = None) -> "FlowDistribution":
        """Return the same distribution over a larger batch shape."""
        return FlowDistribution(self.base.expand(batch_shape), self.maps, self.scores_fast)

    def rsample(self, sample_shape: Shape = Size()) -> Tensor:  # noqa: B008 - an empty tuple, as torch has it
        """Draw z ``(*sample, *batch, D)``."""
        u = self.base.rsample(Size(sample_shape))
        if self.scores_fast:
            return self._back(u)
        z, log_det = self._along(u)
        # The density of the latest draws is at hand: Pyro asks for it next.
        self._drawn = z, self.base.log_prob(u) - log_det
        return z

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log q(z) in nats ``(*sample, *batch)`` for z ``(*sample, *batch, D)``."""
        if self._drawn is not None and value is self._drawn[0]:
            return self._drawn[1]
        if self.scores_fast:
            u, log_det = self._along(value)
            return self.base.log_prob(u) + log_det
        u = self._back(value)
        return self.base.log_prob(u) - self._along(u)[1]

    def _along(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return x after all maps, and the log-determinant of the derivative, in one pass each."""
        total = x.new_zeros(())
        for one in self.maps:
            x, log_det = one.call_and_ladj(x)
            total = total + log_det
        return x, total

    def _back(self, y: Tensor) -> Tensor:
        """Return what the maps make y of."""
        for one in reversed(self.maps):
            y = one.inv(y)
        return y
