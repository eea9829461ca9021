"""An observation seen in other units."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Self

from torch import Tensor

from obsvae.distribution import Distribution
from obsvae.errors import UsageError
from obsvae.model.observations.base import Observation
from obsvae.model.observations.correction import Correction
from obsvae.model.observations.data_like import DataLike, Features, View
from obsvae.model.observations.wrappers.transforms import Affine, Log, Logit, Transform, YeoJohnson
from obsvae.model.observations.wrappers.wrapper import Make, Wrapper
from obsvae.names import lookup
from obsvae.options import WORD, Option

TRANSFORMS = {"log": Log, "logit": Logit, "yeo-johnson": YeoJohnson}


class Transformed(Wrapper):
    r"""An inner observation of u, where x = T(u) is in data units.

    .. math:: p(x \mid \eta) = p_\text{inner}\big(T^{-1}(x) \mid \eta\big) \,
              \Big| \frac{d T^{-1}(x)}{d x} \Big|

    The Jacobian makes the density one over data units. A mass has none: its points are only renamed; nor has an
    unnormalised loss. Both take an affine T alone.

    Shapes: those of ``inner``.

    Args:
        inner: the observation of u.
        transform: T.
    """

    is_in_data_units = False
    options = (Option("transform", WORD, is_required=True),)
    equivalent = "as of the inner family, on transformed data"

    def __init__(self, inner: Observation, transform: Transform) -> None:
        super().__init__(inner)
        self.transform = transform
        self.outputs, self.measure, self.is_profile = inner.outputs, inner.measure, inner.is_profile
        self.support = replace(transform.support_of(inner), contains=self._contains)
        if isinstance(transform, Affine):  # the same family in other units
            self.equivalent = inner.equivalent
            offset, factor = transform.offset, transform.factor
            ends = sorted(float(offset + factor * end) for end in inner.turn or ())
            self.turn = (ends[0], ends[1]) if ends else None

    @classmethod
    def wrap(cls, make: Make, data: DataLike | None, *, transform: str) -> Self:  # type: ignore[override]  # required
        """Return a family on the real line with log, logit or Yeo–Johnson before it."""
        made = lookup("transform", transform, TRANSFORMS)
        # Only a mass looks at the grid, which lets it be made, and be refused for what it is.
        view = None if data is None else View(data.event_shape, data.unit_shape, grid=data.grid)
        inner = make(view)
        if not inner.support.is_real_line:
            raise UsageError(
                f"transformed needs an inner family on the real line (normal, laplace, logistic, student-t, or a "
                f"mixture of one), but got {inner.name}"
            )
        if made is YeoJohnson:
            return cls(inner, YeoJohnson(Features.of(data).unit_shape))
        return cls(inner, made())

    def to_inner(self, x: Tensor) -> Tensor:
        """Return u = T⁻¹(x)."""
        return self.transform.to_inner(x, self.measure)

    def forward(self, eta: Tensor) -> Distribution:
        """Return the distribution of T(u)."""
        return self.transform.carry(self.inner(eta), self.measure)

    def mean(self, eta: Tensor) -> Tensor:
        """Return T(E[u]): the mean where T is affine; else the median, where the inner family is symmetric.

        The mean may not exist: that of the exponential of a Student-t variable does not.
        """
        return self.transform(self.measure)(self.inner.mean(eta))

    def parameter(self, eta: Tensor) -> Tensor | None:
        """Return T of the inner observation's, if it has one."""
        inner = self.inner.parameter(eta)
        return None if inner is None else self.transform(self.measure)(inner)

    def initialise(self, x: Tensor) -> Tensor:
        """Fit the transform, and initialise the inner observation from u."""
        self.transform.initialise(x)
        return self.inner.initialise(self.to_inner(x))

    def update(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Update the inner observation from u."""
        self.inner.update((eta, self.to_inner(x)) for eta, x in batches)

    def corrections(self) -> tuple[Correction, ...]:
        """Return the inner observation's corrections, in the same data units."""
        found = self.inner.corrections()
        return tuple(replace(one, observation=Transformed(one.observation, self.transform)) for one in found)

    def _contains(self, x: Tensor) -> Tensor:
        return self.transform.contains(x) & self.inner.support.contains(self.to_inner(x))

    @property
    def name(self) -> str:
        """The inner family's name where T is affine."""
        return self.inner.name if isinstance(self.transform, Affine) else super().name

    def describe(self) -> dict[str, object]:
        """Return the inner description, with the transform; a scale is in units of u."""
        return {**self.inner.describe(), **self.transform.describe()}
