"""The observations under test: every registered family with its options, in its own units and in data units."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pyro
import pytest
import torch

from model import Measure, Observation, make_observation
from tests.model.families import FAMILIES, Family

EVENT = (2, 4)
OFFSET, FACTOR = 3.0, 2.0  # data units: x = 3 + 2 u


def stub(event_shape=EVENT, bounds=None, grid=None, offset=0.0, scale=1.0):
    """Return what an observation must know of data."""
    scaling = SimpleNamespace(offset=torch.as_tensor(offset), scale=torch.as_tensor(scale))
    return SimpleNamespace(event_shape=event_shape, bounds=bounds, grid=grid, scaling=scaling)


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
    family = FAMILIES[spec]
    data = stub()
    if family.support in ("positive", "counts"):
        units = "own"  # they take x as it is
    if units == "data":
        grid = SimpleNamespace(low=OFFSET, step=FACTOR, levels=family.levels) if family.support == "levels" else None
        if grid is None and (family.support in ("unit", "open") or "sigmoid" in spec):
            data = stub(bounds=(OFFSET, OFFSET + FACTOR))
        elif family.support == "circle":
            data = stub(bounds=(OFFSET - np.pi * FACTOR, OFFSET + np.pi * FACTOR))
        else:
            data = stub(grid=grid) if grid else stub(offset=OFFSET, scale=FACTOR)
    observation = make_observation(spec, data).double()
    inner = observation if units == "own" else observation.inner
    inner.spec = spec
    offset, factor = (0.0, 1.0) if units == "own" else (OFFSET, FACTOR)
    if family.support == "circle" and units == "data":  # 2π is rounded to float32
        offset, factor = observation.transform.offset.item(), observation.transform.factor.item()
    case = Case(spec, family, observation, inner, offset, factor)
    observation.initialise(case.x(200, seed=9))
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in observation.parameters():  # away from the start, and different in every feature
            parameter.copy_(torch.randn(parameter.shape, generator=generator) + family.shift)
    observation.eval()
    return case


@pytest.fixture(autouse=True)
def seeded():
    pyro.set_rng_seed(0)


@pytest.fixture
def specs():
    """Return every spec that the shared suite covers."""
    return tuple(FAMILIES)


@pytest.fixture(params=["own", "data"])
def units(request):
    return request.param


@pytest.fixture(params=FAMILIES)
def case(request, units):
    return make_case(request.param, units)


@pytest.fixture(params=FAMILIES)
def own_case(request):
    return make_case(request.param, "own")


@pytest.fixture(params=FAMILIES)
def data_case(request):
    return make_case(request.param, "data")


@pytest.fixture
def data_stub():
    """Return the function that makes a stand-in for a dataset."""
    return stub
