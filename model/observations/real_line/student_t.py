"""Real data with outliers."""

from collections.abc import Sequence

import pyro.distributions as dist
import torch
from torch import Tensor

from obsvae.model import exact
from obsvae.model.observations.data_like import Features
from obsvae.model.observations.parameters import FLOOR, SCALE, Positive, make_positive
from obsvae.model.observations.real_line.location_scale import LINK, LocationScale
from obsvae.options import NUMBER_OR_WORD, Option
from obsvae.units import median_of, quantiles_of

_START, _FLOOR = 4.0, 0.25  # ν starts at 4 (1 + ¼) and stays above 4 · ¼
_OUTER = 0.1  # share of the values on either side that do not move the spread
_NORMAL = 2.5631  # standard deviations of a Normal between its quantiles at 10 and 90 %


class StudentT(LocationScale):
    r"""Student's t density.

    .. math:: p(x \mid \eta) \propto \frac{1}{\sigma} \Big(1 + \frac{t^2}{\nu}\Big)^{-\frac{\nu + 1}{2}}, \qquad
              t = \frac{x - \mu(\eta)}{\sigma}

    Centre and spread, from which location and scale start and in whose multiples they are learned, are the median and
    the distance between the quantiles at 10 and 90 %, which is 2.56 standard deviations of a Normal: a few outliers
    would carry mean and standard deviation away, and with the latter the least scale.

    Arguments, shapes, errors: those of :class:`LocationScale`, and:

    Args:
        scale: σ.
        df: the degrees of freedom ν: a number, ``shared``, ``per-unit``, ``per-feature`` or ``decoder``; learned
            ones start at 5 and stay above 1, where the mean exists.
        link: as there.
        features: as there.
        floor: as there.
    """

    options = (SCALE, Option("df", NUMBER_OR_WORD, "per-unit"), LINK, FLOOR)
    equivalent = "identity + log(1 + squared error / ν)"

    def __init__(
        self,
        scale: float | str = "per-unit",
        df: float | str = "per-unit",
        link: str = "identity",
        features: Features = Features(),
        floor: float = 1e-3,
    ) -> None:
        super().__init__(scale, link, features, floor)
        self.df = make_positive("df", df, features, _FLOOR)
        self.outputs += self.df.outputs

    @property
    def _positive(self) -> tuple[Positive, ...]:
        return self.scale, self.df

    def family(self, loc: Tensor, scale: Tensor, *more: Tensor) -> dist.TorchDistribution:
        """Return StudentT(ν, μ, σ)."""
        (df,) = more
        return exact.StudentT(df, loc, scale)

    def mean(self, eta: Tensor) -> Tensor:
        """Return μ, which is the median where a fixed ν ≤ 1 leaves no mean."""
        return self.loc(eta)

    def initialise(self, x: Tensor) -> Tensor:
        """Start from the median, the distance between two quantiles, and five degrees of freedom."""
        self.df.initialise(lambda shape: x.new_full(shape, _START))
        return super().initialise(x)

    def _centre_of(self, x: Tensor, shape: Sequence[int]) -> Tensor:
        return median_of(x, shape)

    def _spread_of(self, x: Tensor, shape: tuple[int, ...]) -> Tensor:
        low, high = quantiles_of(x, shape, (_OUTER, 1.0 - _OUTER))
        middle = (high - low) / _NORMAL
        return torch.where(middle > 0, middle, super()._spread_of(x, shape))
