"""An observation seen in other units."""

from collections.abc import Iterable, Mapping

import pyro.distributions as dist
import torch
from torch import Tensor

from model.observations.base import Measure, Observation

_EPS = torch.finfo(torch.float32).eps


class _Affine(dist.transforms.AffineTransform):
    """x = offset + scale · u: with its Jacobian for a density; with whole u for a mass."""

    def __init__(self, offset: Tensor, scale: Tensor, measure: Measure) -> None:
        super().__init__(offset, scale)
        self.measure = measure

    def _inverse(self, y: Tensor) -> Tensor:
        u = super()._inverse(y)
        if self.measure is not Measure.COUNTING:
            return u
        # Levels are whole numbers, but (0.3 − 0.1) / 0.1 is not, in float32: so much may the rounding of y, of the
        # offset and of the scale have moved u.
        moved = 4.0 * _EPS * ((y.abs() + self.loc.abs()) / self.scale.abs() + u.abs())
        return torch.where((u - u.round()).abs() <= moved, u.round(), u)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return super().log_abs_det_jacobian(x, y) if self.measure is Measure.LEBESGUE else torch.zeros_like(x)


class Transformed(Observation):
    r"""An inner observation of u, where x = offset + scale · u is in data units.

    .. math:: p(x \mid \eta) = p_\text{inner}\Big(\frac{x - \text{offset}}{\text{scale}} \,\Big|\, \eta\Big)
              \, \frac{1}{|\text{scale}|}

    The Jacobian 1 / \|scale\| makes the density one over data units. A mass has none: its points are only renamed;
    nor has an unnormalised loss.

    Shapes: those of ``inner``; ``offset`` and ``scale`` are scalars or broadcast to ``event``.

    Args:
        inner: the observation of u.
        offset: x where u = 0.
        scale: one unit of u in data units; not 0.

    Raises:
        ValueError: where ``scale`` is 0 or not finite.
    """

    offset: Tensor
    factor: Tensor

    def __init__(self, inner: Observation, offset: Tensor | float, scale: Tensor | float) -> None:
        super().__init__()
        self.register_buffer("offset", torch.as_tensor(offset, dtype=torch.float32))
        self.register_buffer("factor", torch.as_tensor(scale, dtype=torch.float32))
        if not (torch.isfinite(self.offset).all() and torch.isfinite(self.factor).all() and (self.factor != 0).all()):
            raise ValueError(f"Transformed needs a finite offset and a scale that is not 0; got {offset} and {scale}")
        self.inner = inner
        self.outputs, self.measure, self.units = inner.outputs, inner.measure, inner.units
        self.remedy = inner.remedy
        self.equivalent = inner.equivalent
        self.needs = inner.needs.replace("{x}", self._affine_text())

    def _affine_text(self) -> str:
        if self.offset.ndim or self.factor.ndim:
            return "({x} - offset) / scale"
        return f"({{x}} - {self.offset.item():g}) / {self.factor.item():g}"

    def to_inner(self, x: Tensor) -> Tensor:
        """Return u = (x − offset) / scale."""
        return self._affine.inv(x)

    @property
    def _affine(self) -> _Affine:
        return _Affine(self.offset, self.factor, self.measure)

    def forward(self, eta: Tensor) -> dist.TorchDistribution:
        """Return the distribution of offset + scale · u."""
        return dist.TransformedDistribution(self.inner(eta), [self._affine])

    def mean(self, eta: Tensor) -> Tensor:
        """Return offset + scale · E[u]."""
        return self.offset + self.factor * self.inner.mean(eta)

    def initialise(self, x: Tensor) -> Tensor:
        """Initialise the inner observation from u."""
        return self.inner.initialise(self.to_inner(x))

    def update(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Update the inner observation from u."""
        self.inner.update((eta, self.to_inner(x)) for eta, x in batches)

    def corrections(self) -> Mapping[str, Observation]:
        """Return the inner observation's corrections, in the same data units."""
        return {k: Transformed(v, self.offset, self.factor) for k, v in self.inner.corrections().items()}

    def inside(self, x: Tensor) -> Tensor:
        """Return whether u is in the inner support."""
        return self.inner.inside(self.to_inner(x))

    @property
    def name(self) -> str:
        """The inner family's name."""
        return self.inner.name

    def describe(self) -> dict[str, object]:
        """Return the inner description, with the affine map; a scale is in units of u."""
        affine = {"offset": self.offset.tolist(), "factor": self.factor.tolist()}
        return {**self.inner.describe(), **affine}
