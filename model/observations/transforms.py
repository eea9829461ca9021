"""Changes of units: from what a family sees to the data's own."""

from abc import ABC, abstractmethod

import numpy as np
import scipy.stats
import torch
from pyro.distributions import transforms as torch_transforms
from torch import Tensor, nn

from model import distributions
from model.observations.base import OPEN_INTERVAL, OPEN_REMEDY, Measure, Observation, Units
from model.observations.parameters import statistics_shape

_MOST_FITTED = 100_000  # values of an image that its power is fitted to


class Transform(nn.Module, ABC):
    """x = T(u), elementwise and increasing or decreasing.

    Attributes:
        units: the units that x is in.
        needs: what x has to be, in words.
        remedy: what to do about other data.
    """

    units: Units = Units.OWN
    needs = "{x} finite"
    remedy = "take a family for such data, such as normal"

    @abstractmethod
    def forward(self, measure: Measure) -> torch_transforms.Transform:
        """Return T for numbers of the measure, as torch has it, with ``pull`` for intervals."""

    def inside(self, x: Tensor) -> Tensor:
        """Return whether x is in the range of T."""
        return torch.isfinite(x)

    def initialise(self, x: Tensor) -> None:
        """Fit to training data x ``(N, *event)`` what of T is fitted."""

    def describe(self) -> dict[str, object]:
        """Return what a reader should know of T."""
        return {}


class Affine(Transform):
    """x = offset + scale · u.

    Args:
        offset: x where u = 0; a number, or a tensor that broadcasts to ``event``.
        scale: one unit of u in data units; not 0.

    Raises:
        ValueError: where ``scale`` is 0 or not finite.
    """

    offset: Tensor
    factor: Tensor

    def __init__(self, offset: Tensor | float, scale: Tensor | float) -> None:
        super().__init__()
        self.register_buffer("offset", torch.as_tensor(offset, dtype=torch.float32))
        self.register_buffer("factor", torch.as_tensor(scale, dtype=torch.float32))
        if not (torch.isfinite(self.offset).all() and torch.isfinite(self.factor).all() and (self.factor != 0).all()):
            raise ValueError(f"Affine needs a finite offset and a scale that is not 0; got {offset} and {scale}")

    def of(self, inner: Observation) -> str:
        """Return what x has to be, of what the inner observation needs u to be."""
        if self.offset.ndim or self.factor.ndim:
            return inner.needs.replace("{x}", "({x} - offset) / scale")
        return inner.needs.replace("{x}", f"({{x}} - {self.offset.item():g}) / {self.factor.item():g}")

    def forward(self, measure: Measure) -> torch_transforms.Transform:
        """Return the affine map: with its Jacobian for a density, with whole u for a mass."""
        return distributions.Affine(
            self.offset,
            self.factor,
            is_density=measure is Measure.LEBESGUE,
            is_whole=measure is Measure.COUNTING,
        )

    def describe(self) -> dict[str, object]:
        """Return offset and factor."""
        return {"offset": self.offset.tolist(), "factor": self.factor.tolist()}


class Log(Transform):
    """u = log x."""

    needs = "{x} above 0"
    remedy = "take yeo-johnson, or a family for such data such as normal"

    def forward(self, measure: Measure) -> torch_transforms.Transform:
        """Return exp."""
        return distributions.Log()

    def inside(self, x: Tensor) -> Tensor:
        """Return whether x > 0."""
        return x > 0


class Logit(Transform):
    """u = log x / (1 − x), for x in the unit interval that the data's bounds give."""

    units = Units.UNIT_INTERVAL
    needs = OPEN_INTERVAL
    remedy = OPEN_REMEDY

    def forward(self, measure: Measure) -> torch_transforms.Transform:
        """Return the sigmoid."""
        return distributions.Logit()

    def inside(self, x: Tensor) -> Tensor:
        """Return whether 0 < x < 1."""
        return (x > 0) & (x < 1)


class YeoJohnson(Transform):
    """The Yeo–Johnson transform, its power λ fitted to the training data by maximum likelihood (scipy), within [0, 2].

    Vectors have a power for each feature, images have one.

    Args:
        event_shape: shape of one datum.
    """

    units = Units.SCALED
    power: Tensor

    def __init__(self, event_shape: tuple[int, ...] | None = None) -> None:
        super().__init__()
        self.register_buffer("power", torch.ones(statistics_shape(event_shape)))

    def forward(self, measure: Measure) -> torch_transforms.Transform:
        """Return the transform at its power."""
        return distributions.YeoJohnson(self.power)

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
        return float(np.clip(scipy.stats.yeojohnson_normmax(values), 0.0, 2.0))

    def describe(self) -> dict[str, object]:
        """Return the power, or the least and the greatest."""
        ends = [self.power.min().item(), self.power.max().item()]
        return {"power": ends if self.power.ndim else ends[0]}
