"""Real data: identity and squared error, with σ stated."""

import math
from collections.abc import Callable, Iterable, Mapping

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.model import exact
from obsvae.model.observations.data_like import Features
from obsvae.model.observations.parameters import Positive
from obsvae.model.observations.real_line.location_scale import LocationScale


class Optimal(Positive):
    """One σ in multiples of each unit's spread, the maximum-likelihood estimate: in training from the batch.

    In training it returns its floor, for :class:`obsvae.model.exact.ProfileNormal` to apply; in evaluation it is that
    of the training set.

    Reference: Rybkin, Daniilidis and Levine 2021, section 3.
    """

    value: Tensor

    def __init__(self, unit_shape: tuple[int, ...] = (), floor: float = 1e-3) -> None:
        super().__init__(unit_shape, floor)
        self.register_buffer("value", torch.ones(()))

    def forward(self, raw: Tensor) -> Tensor:
        """Return the training set's σ̂, or the floor while training."""
        return self.start * (self.floor if self.training else self.value)

    def describe(self) -> object:
        """Return the training set's σ̂, or its range where units have one each."""
        value = self.start * self.value
        return value.item() if value.ndim == 0 else [value.min().item(), value.max().item()]

    def update(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Set σ̂² to the mean squared error of pairs (location, x), no less than the floor's square."""
        total, count = 0.0, 0
        for loc, x in batches:
            total += ((x - loc) / self.start).double().square().sum().item()
            count += x.numel()
        self.value.fill_(max(math.sqrt(total / count), self.floor))


class Normal(LocationScale):
    r"""The Normal density with a choice of link and of scale.

    .. math:: p(x \mid \eta) = \frac{1}{\sigma \sqrt{2\pi}} \exp\Big(-\frac{(x - \mu(\eta))^2}{2\sigma^2}\Big)

    Squared error is this with σ fixed: the bare sum of squares is σ² = ½. Beside those of every location-scale family
    σ has one source more, ``scale="optimal"``: maximum likelihood (Rybkin et al. 2021).

    Arguments, shapes, errors: those of :class:`LocationScale`.
    """

    equivalent = "identity + squared error, with σ learned or fixed"

    @property
    def is_profile(self) -> bool:  # type: ignore[override]  # nobody sets it: the scale says it
        """Whether σ is optimal."""
        return isinstance(self.scale, Optimal)

    def _scales(self, features: Features, floor: float) -> Mapping[str, Callable[[], Positive]]:
        return {"optimal": lambda: Optimal(features.unit_shape, floor)}

    def family(self, loc: Tensor, scale: Tensor, *more: Tensor) -> dist.TorchDistribution:
        """Return Normal(μ, σ); with ``scale="optimal"`` in training mode, the profile likelihood."""
        family = exact.ProfileNormal if self.training and self.is_profile else dist.Normal
        return family(loc, scale)

    def update(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Set the optimal σ from the training set, where that is the scale."""
        if isinstance(self.scale, Optimal):
            self.scale.update((self.loc(eta), x) for eta, x in batches)
