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
from obsvae.units import median_of

_START, _FLOOR = 4.0, 0.25  # ν starts at 4 (1 + ¼) and stays above 4 · ¼
_NORMAL = 1.4826  # standard deviations of a Normal in its median distance from the median


class StudentT(LocationScale):
    r"""Student's t density.

    .. math:: p(x \mid \eta) \propto \frac{1}{\sigma} \Big(1 + \frac{t^2}{\nu}\Big)^{-\frac{\nu + 1}{2}}, \qquad
              t = \frac{x - \mu(\eta)}{\sigma}

    Centre and spread, from which location and scale start and in whose multiples they are learned, are the median and
    1.4826 times the median distance from it: a few outliers would carry mean and standard deviation away, and with the
    latter the least scale.

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
        """Start from the median, the median distance from it, and five degrees of freedom."""
        self.df.initialise(lambda shape: x.new_full(shape, _START))
        return super().initialise(x)

    def _centre_of(self, x: Tensor, shape: Sequence[int]) -> Tensor:
        return median_of(x, shape)

    def _spread_of(self, x: Tensor, shape: tuple[int, ...]) -> Tensor:
        # Where half of the values are one, the distance is 0.
        distance = _NORMAL * median_of((x - median_of(x, shape)).abs(), shape)
        return torch.where(distance > 0, distance, super()._spread_of(x, shape))
