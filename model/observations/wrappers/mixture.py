"""Several components of one family."""

from collections.abc import Sequence
from typing import Self

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.model import exact
from obsvae.model.observations.base import Observation
from obsvae.model.observations.data_like import DataLike
from obsvae.model.observations.measure import Measure
from obsvae.model.observations.wrappers.wrapper import Make, Wrapper, require_exact
from obsvae.options import WHOLE_NUMBER, Option

_MOST = 1000


class Mixture(Wrapper):
    r"""A mixture of C components, each with outputs, and learned parameters, of its own.

    .. math:: p(x \mid \eta) = \sum_{c=1}^{C} w_c(\eta) \, p_c(x \mid \eta), \qquad w = \operatorname{softmax}

    ``discretised:inner=mixture:components=5,inner=logistic:scale=decoder`` is the likelihood of PixelCNN++ for one
    channel.

    Shapes: ``eta (*batch, *event, C (1 + outputs of a component))``, the C logits of w first; x ``(*batch, *event)``.

    Args:
        components: observations of one family.

    Raises:
        UsageError: for fewer than two components or more than a thousand, or components that are not normalised.

    Reference: Salimans, Karpathy, Chen and Kingma, *PixelCNN++*, ICLR 2017, section 2.1.
    """

    options = (Option("components", WHOLE_NUMBER, 5),)
    equivalent = "NLL of a mixture"

    def __init__(self, components: Sequence[Observation]) -> None:
        _check_count(len(components))
        first = components[0]
        if first.measure is Measure.NONE:
            raise UsageError(f"mixture needs components that are normalised, but {first.name} is a loss alone")
        super().__init__(*components)
        self.outputs = len(components) * (1 + first.outputs)
        self.measure, self.support, self.turn = first.measure, first.support, first.turn

    @classmethod
    def wrap(cls, make: Make, data: DataLike | None, *, components: int = 5) -> Self:
        """Return a mixture with that number of components."""
        _check_count(components)
        return cls([require_exact(make(data), "mixture") for _ in range(components)])

    def _parts(self, eta: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        count = len(self.parts)
        return eta[..., :count], eta[..., count:].chunk(count, -1)

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return the mixture."""
        logits, parts = self._parts(eta)
        return exact.Mixture(logits, [c(part) for c, part in zip(self.parts, parts, strict=True)])

    def mean(self, eta: Tensor) -> Tensor:
        """Return Σ w_c E_c[x]."""
        logits, parts = self._parts(eta)
        means = torch.stack([c.mean(part) for c, part in zip(self.parts, parts, strict=True)], -1)
        weights = torch.softmax(logits, -1)
        return torch.where(weights > 0, weights * means, 0.0).sum(-1)

    def exposure(self, eta: Tensor) -> Tensor:
        """Return that of each component, and 0 for the weights."""
        logits, parts = self._parts(eta)
        of_parts = torch.cat([c.exposure(part) for c, part in zip(self.parts, parts, strict=True)], -1)
        return torch.cat([of_parts.new_zeros(*of_parts.shape[:-1], logits.shape[-1]), of_parts], -1)

    def initialise(self, x: Tensor) -> Tensor:
        """Start the components apart: c from x with every second datum set to the (c − ½) / C quantile of each feature.

        These are values of the data, so each family takes them; and half of the data are left, so they vary.
        """
        count = len(self.parts)
        order = x.sort(0).values
        etas = []
        for c, component in enumerate(self.parts):
            apart = x.clone()
            apart[::2] = order[int((c + 0.5) / count * len(x))]
            etas.append(component.initialise(apart))
        return torch.cat([torch.zeros_like(x[0]).unsqueeze(-1).expand(*x.shape[1:], count), *etas], -1)

    def describe(self) -> dict[str, object]:
        """Return the components' descriptions."""
        found = [c.describe() for c in self.parts]
        return {key: [one[key] for one in found] for key in found[0]}


def _check_count(components: int) -> None:
    if not 2 <= components <= _MOST:
        raise UsageError(f"mixture needs from 2 to {_MOST} components, but got {components}")
