"""The observations under test: every registered family with its options, in its own units and in data units."""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import mpmath as mp
import numpy as np
import pyro
import pytest
import scipy.special
import scipy.stats
import torch

from model import Measure, Observation, make_observation

EVENT = (2, 4)
OFFSET, FACTOR = 3.0, 2.0  # data units: x = 3 + 2 u
LEVELS = 5


def stub(event_shape=EVENT, bounds=None, grid=None, offset=0.0, scale=1.0):
    """Return what an observation must know of data."""
    scaling = SimpleNamespace(offset=torch.as_tensor(offset), scale=torch.as_tensor(scale))
    return SimpleNamespace(event_shape=event_shape, bounds=bounds, grid=grid, scaling=scaling)


def softplus(a):
    return np.logaddexp(0.0, a)


def normal(observation, eta):
    """Return scipy's Normal with the location and scale that DESIGN and the docstrings promise."""
    scale, spread = observation.scale, observation.spread.item()
    link = observation.spec.partition("link=")[2] or "identity"
    loc = {
        "identity": lambda e: spread * e,
        "sigmoid": scipy.special.expit,
        "softplus": lambda e: spread * softplus(e),
    }[link](eta[..., 0])
    kind = observation.spec.partition("scale=")[2].partition(",")[0] or "shared"

    def positive(raw):
        return spread * (1e-3 + softplus(raw + np.log(np.e - 1)))

    match kind:
        case "shared" | "per-feature":
            sigma = positive(scale.raw.detach().numpy())
        case "decoder":
            sigma = positive(eta[..., 1])
        case "optimal":
            sigma = scale.value.item()
        case _:
            sigma = float(kind)
    return scipy.stats.norm(loc, np.broadcast_to(sigma, loc.shape))


@np.vectorize
def matched(logit):
    """Return the natural parameter whose mean is the sigmoid of the logit."""
    with mp.workdps(50):
        small, size = 1 / (1 + mp.exp(abs(logit))), mp.mpf(abs(logit))
        if size == 0:
            return 0.0
        start = 1 + mp.exp(size) if size > 1 else 3 * size
        root = mp.findroot(lambda t: (1 / t - 1 / mp.expm1(t) - small) * mp.exp(size), (start, 1.001 * start))
        return float(mp.sign(logit) * root)


@np.vectorize
def continuous_bernoulli_log_density(eta, u):
    with mp.workdps(50):
        eta, u = mp.mpf(float(eta)), mp.mpf(float(u))
        return float(eta * u + mp.log(eta / mp.expm1(eta))) if eta else 0.0


def continuous_bernoulli_cdf(eta, u):
    return np.exp(-np.maximum(eta, 0) * (1 - u)) * np.expm1(-np.abs(eta) * u) / np.expm1(-np.abs(eta))


def natural(observation, eta):
    return matched(eta[..., 0]) if "matched=true" in observation.spec else eta[..., 0]


def categorical_log_mass(_, eta, u):
    log_p = scipy.special.log_softmax(eta, -1)
    level = np.broadcast_to(u, eta.shape[:-1]).astype(int)
    return np.take_along_axis(log_p, level[..., None], -1)[..., 0]


@dataclass(frozen=True)
class Family:
    """What a family promises, by functions that know nothing of its code; u is x in the family's own units.

    ``log_prob(observation, eta, u)`` and ``cdf(observation, eta, u)`` take and return arrays.
    """

    measure: Measure
    outputs: int
    support: str  # real, unit, levels
    log_prob: Callable
    cdf: Callable | None = None
    levels: int = 0
    samples: bool = True


def normal_family(outputs=1, support="real"):
    return Family(
        Measure.LEBESGUE,
        outputs,
        support,
        lambda observation, eta, u: normal(observation, eta).logpdf(u),
        lambda observation, eta, u: normal(observation, eta).cdf(u),
    )


CONTINUOUS_BERNOULLI = Family(
    Measure.LEBESGUE,
    1,
    "unit",
    lambda observation, eta, u: continuous_bernoulli_log_density(natural(observation, eta), u),
    lambda observation, eta, u: continuous_bernoulli_cdf(natural(observation, eta), u),
)
FAMILIES = {
    "bernoulli": Family(
        Measure.COUNTING,
        1,
        "levels",
        lambda _, eta, u: scipy.special.log_expit(np.where(u == 1, eta[..., 0], -eta[..., 0])),
        levels=2,
    ),
    f"categorical:categories={LEVELS}": Family(Measure.COUNTING, LEVELS, "levels", categorical_log_mass, levels=LEVELS),
    "continuous-bernoulli": CONTINUOUS_BERNOULLI,
    "continuous-bernoulli:matched=true": CONTINUOUS_BERNOULLI,
    "unnormalised-bernoulli": Family(
        Measure.NONE, 1, "unit", lambda _, eta, u: u * eta[..., 0] - softplus(eta[..., 0]), samples=False
    ),
    "normal": normal_family(),
    "normal:scale=0.7": normal_family(),
    "normal:scale=shared": normal_family(),
    "normal:scale=per-feature": normal_family(),
    "normal:scale=decoder": normal_family(outputs=2),
    "normal:scale=optimal": normal_family(),
    # The unit interval is where the location lives; the density is over the reals.
    "normal:scale=0.1,link=sigmoid": normal_family(),
    "normal:scale=decoder,link=sigmoid": normal_family(outputs=2),
    "normal:scale=shared,link=softplus": normal_family(),
}


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
        return spread * torch.randn(shape, generator=generator, dtype=torch.float64)

    def u(self, *batch, seed=1):
        """Return data within the support in the family's own units, float64; not at its edges but for levels."""
        generator = torch.Generator().manual_seed(seed)
        if self.family.support == "levels":
            return torch.randint(self.family.levels, (*batch, *EVENT), generator=generator).double()
        u = torch.rand((*batch, *EVENT), generator=generator, dtype=torch.float64)
        return u if self.family.support == "unit" or "sigmoid" in self.spec else 6 * u + 0.5

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
    if units == "data":
        grid = SimpleNamespace(low=OFFSET, step=FACTOR, levels=family.levels) if family.support == "levels" else None
        if grid is None and (family.support == "unit" or "sigmoid" in spec):
            data = stub(bounds=(OFFSET, OFFSET + FACTOR))
        else:
            data = stub(grid=grid) if grid else stub(offset=OFFSET, scale=FACTOR)
    observation = make_observation(spec, data).double()
    inner = observation if units == "own" else observation.inner
    inner.spec = spec
    offset, factor = (0.0, 1.0) if units == "own" else (OFFSET, FACTOR)
    case = Case(spec, family, observation, inner, offset, factor)
    observation.initialise(case.x(200, seed=9))
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in observation.parameters():  # away from the start, and different in every feature
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
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
