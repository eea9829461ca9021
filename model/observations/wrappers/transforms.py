"""Changes of units: from those of a family to those of the data."""

from abc import abstractmethod
from dataclasses import replace

import numpy as np
import pyro.distributions as dist
import torch
from pyro.distributions import transforms as torch_transforms
from torch import Tensor

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.model import exact
from obsvae.model.observations.base import Observation
from obsvae.model.observations.measure import Measure
from obsvae.model.observations.support import OPEN_INTERVAL, POSITIVE, REAL_LINE, Support
from obsvae.module import TypedModule

_MOST_FITTED = 100_000  # values of an image that its power is fitted to


class Transform(TypedModule):
    """x = T(u), elementwise and increasing or decreasing.

    Attributes:
        range: the values of x that it gives.
    """

    range: Support = REAL_LINE

    @abstractmethod
    def forward(self, measure: Measure) -> torch_transforms.Transform:
        """Return T for numbers of the measure, as torch has it, with ``pull`` for intervals."""

    def carry(self, inner: Distribution, measure: Measure) -> Distribution:
        """Return the distribution of T(u), where u has the inner one."""
        return dist.TransformedDistribution(inner, [self(measure)])

    def to_inner(self, x: Tensor, measure: Measure) -> Tensor:
        """Return u = T⁻¹(x)."""
        return self(measure).inv(x)

    def support_of(self, inner: Observation) -> Support:
        """Return the support of T(u), where u has that of the inner observation."""
        return self.range

    def contains(self, x: Tensor) -> Tensor:
        """Return whether x is in the range of T."""
        return self.range.contains(x)

    def initialise(self, x: Tensor) -> None:
        """Fit the parameters of T, if it has any, to training data x ``(N, *event)``."""

    def describe(self) -> dict[str, object]:
        """Return the parameters of T by name, for reports."""
        return {}


class Affine(Transform):
    """x = offset + scale · u.

    Args:
        offset: x where u = 0; a number, or a tensor that broadcasts to ``event``.
        scale: one unit of u in data units; not 0.

    Raises:
        UsageError: where ``scale`` is 0 or not finite.
    """

    offset: Tensor
    factor: Tensor

    def __init__(self, offset: Tensor | float, scale: Tensor | float) -> None:
        super().__init__()
        self.register_buffer("offset", torch.as_tensor(offset, dtype=torch.float32))
        self.register_buffer("factor", torch.as_tensor(scale, dtype=torch.float32))
        if not (torch.isfinite(self.offset).all() and torch.isfinite(self.factor).all() and (self.factor != 0).all()):
            raise UsageError(f"Affine needs a finite offset and a scale that is not 0; got {offset} and {scale}")

    def support_of(self, inner: Observation) -> Support:
        """Return the inner support in the units of x."""
        u = "({x} - offset) / scale"
        if not (self.offset.ndim or self.factor.ndim):
            u = f"({{x}} - {self.offset.item():g}) / {self.factor.item():g}"
        return replace(inner.support, words=inner.support.words.replace("{x}", u))

    def forward(self, measure: Measure) -> torch_transforms.Transform:
        """Return the affine map: with its Jacobian for a density, with whole u for a mass."""
        return exact.Affine(
            self.offset,
            self.factor,
            is_density=measure is Measure.LEBESGUE,
            is_whole=measure is Measure.COUNTING,
        )

    def describe(self) -> dict[str, object]:
        """Return offset and factor."""
        return {"offset": self.offset.tolist(), "factor": self.factor.tolist()}


class Bounds(Affine):
    """x = low + (high − low) · u, for a family on the unit interval.

    Args:
        low: x where u = 0, a number.
        high: x where u = 1.
    """

    high: Tensor

    def __init__(self, low: Tensor, high: Tensor) -> None:
        super().__init__(low, high - low)  # in float32, so that the upper bound maps to exactly 1
        # Not saved: the data's description has it.
        self.register_buffer("high", torch.as_tensor(high, dtype=torch.float32), persistent=False)

    def forward(self, measure: Measure) -> torch_transforms.Transform:
        """Return the affine map."""
        return exact.Bounds(self.offset, self.high, is_density=measure is Measure.LEBESGUE)

    def carry(self, inner: Distribution, measure: Measure) -> Distribution:
        """Return the distribution of x, by its distances from both bounds where the inner density takes them."""
        if isinstance(inner, exact.UnitInterval):
            return exact.Between(inner, exact.Bounds(self.offset, self.high, is_density=measure is Measure.LEBESGUE))
        return super().carry(inner, measure)

    def to_inner(self, x: Tensor, measure: Measure) -> Tensor:
        """Return u, on the same side of 0 and of 1 as x is of the bounds, to which it may be rounded."""
        u = super().to_inner(x, measure)
        eps = torch.finfo(u.dtype).eps
        u = torch.where((x > self.offset) & (x < self.high), exact.within_unit(u), u)
        u = torch.where(x < self.offset, u.clamp(max=-eps), u)
        return torch.where(x > self.high, u.clamp(min=1.0 + eps), u)


class Log(Transform):
    """u = log x."""

    range = replace(POSITIVE, remedy="take yeo-johnson, or a family for such data such as normal")

    def forward(self, measure: Measure) -> torch_transforms.Transform:
        """Return exp."""
        return exact.Log()


class Logit(Transform):
    """u = log x / (1 − x), for x in the unit interval that the data's bounds give."""

    range = OPEN_INTERVAL

    def carry(self, inner: Distribution, measure: Measure) -> Distribution:
        """Return the distribution of the sigmoid of u."""
        return exact.Sigmoid(inner)

    def forward(self, measure: Measure) -> torch_transforms.Transform:
        """Return the sigmoid."""
        return exact.Logit()


class YeoJohnson(Transform):
    """The Yeo–Johnson transform, its power λ fitted to the training data by maximum likelihood (scipy), within [0, 2].

    Each unit has its own power.

    Args:
        unit_shape: shape of the powers.
    """

    power: Tensor

    def __init__(self, unit_shape: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.register_buffer("power", torch.ones(unit_shape))

    def forward(self, measure: Measure) -> torch_transforms.Transform:
        """Return the transform at its power."""
        return exact.YeoJohnson(self.power)

    def initialise(self, x: Tensor) -> None:
        """Fit the power."""
        columns = x.reshape(len(x), -1).T if self.power.ndim else x.reshape(1, -1)
        found = [self._fit(column) for column in columns.cpu().double().numpy()]
        self.power.copy_(torch.tensor(found).reshape(self.power.shape))

    @staticmethod
    def _fit(values: np.ndarray) -> float:
        values = values[:: -(-len(values) // _MOST_FITTED)]
        if values.min() == values.max():
            return 1.0
        from scipy.stats import yeojohnson_normmax  # takes half a second to load

        return float(np.clip(yeojohnson_normmax(values), 0.0, 2.0))

    def describe(self) -> dict[str, object]:
        """Return the power, or the least and the greatest."""
        ends = [self.power.min().item(), self.power.max().item()]
        return {"power": ends if self.power.ndim else ends[0]}
