"""An observation in some units, started from data, with what it promises."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import torch

from obsvae.model import Affine, Measure, Observation, Transformed, make_observation
from tests.model.families import Family
from tests.model.wrapped import EVERY

EVENT = (2, 4)
OFFSET, FACTOR = 3.0, 2.0  # data units: x = 3 + 2 u
AS_IT_IS = ("positive", "zero or positive", "counts")  # supports of families that take x in data units


def stub(event_shape=EVENT, bounds=None, grid=None, offset=0.0, scale=1.0):
    """Return what an observation must know of data."""
    scaling = SimpleNamespace(offset=torch.as_tensor(offset), scale=torch.as_tensor(scale))
    unit_shape = tuple(event_shape) if len(event_shape) == 1 else ()
    return SimpleNamespace(
        event_shape=event_shape,
        unit_shape=unit_shape,
        bounds=bounds,
        grid=grid,
        scaling=scaling,
        has_missing=False,
        columns=None,
    )


@dataclass(frozen=True)
class Case:
    """A family in some units, started from training data."""

    spec: str
    family: Family
    observation: Observation
    inner: Observation
    offset: float
    factor: float

    def eta(self, *batch, spread=2.0, seed=0):
        """Return decoder outputs, float64."""
        generator = torch.Generator().manual_seed(seed)
        shape = (*batch, *EVENT, self.family.outputs)
        eta = torch.randn(shape, generator=generator, dtype=torch.float64)
        return self.family.stretch * spread * eta

    def u(self, *batch, seed=1):
        """Return data within the support in the family's own units, float64; not at its edges but for levels."""
        generator = torch.Generator().manual_seed(seed)
        p = torch.rand((*batch, *EVENT), generator=generator, dtype=torch.float64)
        return p if "sigmoid" in self.spec else self.family.where.draw(p)

    def x(self, *batch, seed=1):
        """Return data within the support, float64."""
        return self.to_data(self.u(*batch, seed=seed))

    def to_data(self, u):
        return self.offset + self.factor * u

    @property
    def jacobian(self):
        """What log-probabilities lose in data units."""
        return np.log(self.factor) if self.family.measure is Measure.LEBESGUE else 0.0

    def reference(self, eta, u):
        """Return the log-density or log-mass in data units at u, elementwise."""
        return self.family.log_prob(self.inner, eta.numpy(), u.numpy()) - self.jacobian


def make_case(spec, units):
    family = EVERY[spec]
    offset, factor = (0.0, 1.0) if units == "own" else (OFFSET, FACTOR)
    if family.support == "levels":  # a grid is all that is known of them
        data = stub(grid=SimpleNamespace(low=offset, step=factor, levels=family.levels))
    elif units == "own":
        data = stub()
    elif family.support in ("unit", "open") or "sigmoid" in spec:
        data = stub(bounds=(OFFSET, OFFSET + FACTOR))
    elif family.support == "circle":
        data = stub(bounds=(OFFSET - np.pi * FACTOR, OFFSET + np.pi * FACTOR))
    else:
        data = stub(offset=OFFSET, scale=FACTOR)
    observation = make_observation(spec, data).double()
    # A wrapper of families in data units is in these itself; only an affine map has all of it within.
    is_affine = isinstance(observation, Transformed) and isinstance(observation.transform, Affine)
    inner = observation.inner if is_affine else observation
    inner.spec = spec
    if family.support == "circle" and units == "data":  # 2π is rounded to float32
        offset, factor = observation.transform.offset.item(), observation.transform.factor.item()
    case = Case(spec, family, observation, inner, offset, factor)
    start(observation, case.x(200, seed=9), family.shift)
    return case


def start(observation, x, shift):
    """Start from data, and move parameters away from there, differently in every feature."""
    observation.initialise(x)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in observation.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) + shift)
    observation.eval()
