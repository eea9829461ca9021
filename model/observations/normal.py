"""Real data: identity and squared error, with σ said aloud."""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import pyro.distributions as dist
import torch
from torch import Tensor
from torch.nn import functional as F

from model.distributions import ProfileNormal
from model.lookup import lookup
from model.observations.base import Measure, Observation, Units, smoothed_mean
from model.observations.scales import Optimal, make_scale, spread_of, spread_shape


class Link(NamedTuple):
    """An inverse link η ↦ μ (for data with spread 1), its inverse μ ↦ η, and the units it works in.

    ``means`` is the range of μ, and ``remedy`` what to do about data whose means lie outside.
    """

    inverse: Callable[[Tensor], Tensor]
    link: Callable[[Tensor], Tensor]
    units: Units
    means: tuple[float, float] = (-math.inf, math.inf)
    remedy: str = ""


def _inverse_softplus(mu: Tensor) -> Tensor:
    mu = mu.clamp_min(1e-3)  # a mean of less than a thousandth of the spread starts there
    return mu + torch.log(-torch.expm1(-mu))  # log(eᵘ − 1), where eᵘ may overflow


LINKS = {
    "identity": Link(lambda eta: eta, lambda mu: mu, Units.SCALED),
    "sigmoid": Link(
        torch.sigmoid,
        torch.logit,
        Units.UNIT_INTERVAL,
        (0.0, 1.0),
        "declare the data's bounds (--bounds LOW HIGH), or take link=identity",
    ),
    "softplus": Link(
        F.softplus,
        _inverse_softplus,
        Units.SCALED,
        (0.0, math.inf),
        "leave out the scaling where there is one, or take link=identity",
    ),
}


class Normal(Observation):
    r"""The Normal density with a choice of link and of scale.

    .. math:: p(x \mid \eta) = \frac{1}{\sigma \sqrt{2\pi}} \exp\Big(-\frac{(x - \mu(\eta))^2}{2\sigma^2}\Big)

    Squared error is this with σ fixed: the bare sum of squares is σ² = ½. With the links ``identity`` and ``softplus``
    the location is in multiples of the training data's standard deviation, μ = spread · link⁻¹(η), so that learning
    does not depend on the unit of x; the density is over x all the same. Vectors have a spread for each feature, as
    columns of a table have units of their own; images have one.

    Shapes: ``eta (*batch, *event, 1)``, or ``(…, 2)`` with ``scale="decoder"``; x ``(*batch, *event)``.

    Args:
        scale: a positive number (fixed, in the units that the family sees), ``shared`` (one learned), ``per-feature``
            (learned), ``decoder`` (a second output), or ``optimal`` (maximum likelihood, Rybkin et al. 2021).
        link: ``identity``; ``sigmoid`` for a location in (0, 1); ``softplus`` for a positive location.
        event_shape: shape of one datum; needed for ``per-feature``, and for a spread of each feature of a vector.
        floor: least learned scale as a fraction of the training data's standard deviation.

    Raises:
        ValueError: for an unknown scale or link, or a scale that is not positive.
    """

    spread: Tensor
    measure = Measure.LEBESGUE
    equivalent = "identity + squared error, with σ said aloud"

    def __init__(
        self,
        scale: float | str = "shared",
        link: str = "identity",
        event_shape: tuple[int, ...] | None = None,
        floor: float = 1e-3,
    ) -> None:
        super().__init__()
        self.link = lookup("link", link, LINKS)
        self.units = self.link.units
        self.scale = make_scale(scale, event_shape, floor)
        self.register_buffer("spread", torch.ones(spread_shape(event_shape)))
        self.outputs = 1 + self.scale.outputs

    @property
    def _unit(self) -> Tensor | float:
        return 1.0 if self.units is Units.UNIT_INTERVAL else self.spread

    def loc(self, eta: Tensor) -> Tensor:
        """Return μ, ``(*batch, *event)``."""
        return self._unit * self.link.inverse(eta[..., 0])

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return Normal(μ(eta), σ(eta)); with ``scale="optimal"`` in training mode, the profile likelihood."""
        family = ProfileNormal if self.training and isinstance(self.scale, Optimal) else dist.Normal
        return family(self.loc(eta), self.scale(eta[..., 1:]))

    def initialise(self, x: Tensor) -> Tensor:
        """Set the spread, and return outputs that put μ at each feature's mean and σ at the spread."""
        self._check_means(x)
        self.spread.copy_(spread_of(x, self.spread.shape))
        self.scale.initialise(x)
        mean = smoothed_mean(x) if self.units is Units.UNIT_INTERVAL else x.mean(0) / self._unit
        eta = torch.zeros(*mean.shape, self.outputs, dtype=x.dtype, device=x.device)
        eta[..., 0] = self.link.link(mean)
        return eta

    def _check_means(self, x: Tensor) -> None:
        # x itself may lie anywhere, as the Normal's own samples do; a mean that μ cannot reach is a link ill chosen.
        low, high = self.link.means
        means = x.mean(0)
        outside = means[(means < low) | (means > high)]
        if len(outside):
            raise ValueError(
                f"normal with this link has its mean between {low:g} and {high:g}, but {len(outside)} features have "
                f"means such as {outside[0].item():g}; {self.link.remedy}"
            )

    def update(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Set the optimal σ from the training set, where that is the scale."""
        self.scale.update((self.loc(eta), x) for eta, x in batches)

    def describe(self) -> dict[str, object]:
        """Return σ where it is one number, its range where there are several; in the units that the family sees."""
        if self.scale.outputs:
            return {}
        training = self.scale.training
        sigma = self.scale.eval()(self.scale.spread.new_zeros(0)).detach()
        self.scale.train(training)
        return {"scale": sigma.item()} if sigma.ndim == 0 else {"scale": [sigma.min().item(), sigma.max().item()]}
