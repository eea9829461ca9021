"""The observations under test: every registered family with its options, in its own units and in data units."""

import dataclasses
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
    scale, spread = observation.scale, observation.spread.item()  # one for all, for a datum is an image here
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
    shape = np.broadcast_shapes(eta.shape[:-1], np.shape(u))
    log_p = np.broadcast_to(scipy.special.log_softmax(eta, -1), (*shape, eta.shape[-1]))
    level = np.broadcast_to(u, shape).astype(int)
    return np.take_along_axis(log_p, level[..., None], -1)[..., 0]


@np.vectorize
def ordered_log_mass(low, high):
    with mp.workdps(50):
        s = [mp.mpf(0) if np.isneginf(t) else 1 / (1 + mp.exp(-mp.mpf(float(t)))) for t in (low, high)]
        return float(mp.log((mp.mpf(1) if np.isposinf(high) else s[1]) - s[0]))


def ordinal_log_mass(observation, eta, u):
    cuts = np.concatenate([[-np.inf], observation.cutpoints.detach().double().numpy(), [np.inf]])
    level = np.asarray(u).astype(int)
    return ordered_log_mass(cuts[level] - eta[..., 0], cuts[level + 1] - eta[..., 0])


@np.vectorize
def kumaraswamy_log_density(logit, b, u):
    with mp.workdps(60):
        b, u = mp.mpf(float(b)), mp.mpf(float(u))
        log_m = -mp.log1p(mp.exp(-mp.mpf(float(logit))))
        a = mp.log(1 - mp.power(2, -1 / b)) / log_m
        return float(mp.log(a) + mp.log(b) + (a - 1) * mp.log(u) + (b - 1) * mp.log1p(-mp.power(u, a)))


def kumaraswamy_cdf(logit, b, u):
    a = np.log(-np.expm1(-np.log(2) / b)) / -np.logaddexp(0.0, -logit)
    return -np.expm1(b * np.log1p(-(u**a)))


@np.vectorize
def truncated_normal_log_density(loc, sigma, u):
    with mp.workdps(60):
        loc, sigma, u = (mp.mpf(float(v)) for v in (loc, sigma, u))
        # The upper tail keeps its digits where a difference of two cumulative shares near one has none.
        side = 1 if loc < mp.mpf("0.5") else -1
        low, high = sorted([side * (0 - loc) / sigma, side * (1 - loc) / sigma])
        inside = (mp.erfc(low / mp.sqrt(2)) - mp.erfc(high / mp.sqrt(2))) / 2
        return float(-(((u - loc) / sigma) ** 2) / 2 - mp.log(sigma * mp.sqrt(2 * mp.pi) * inside))


def value_of(parameter, eta, at):
    """Return what the docstring of ``Positive`` promises, with the parameter's outputs at an index of eta."""
    start = parameter.start.numpy()
    if hasattr(parameter, "value"):
        return np.full(eta.shape[:-1], parameter.value)
    raw = eta[..., at] if parameter.outputs else parameter.raw.detach().double().numpy()
    return np.broadcast_to(start * (parameter.floor + softplus(raw + np.log(np.e - 1))), eta.shape[:-1])


def scaled(family):
    """Return scipy's location-scale family at spread · η and σ, as a function of the observation and eta."""

    def at(observation, eta):
        return family(observation.spread.numpy() * eta[..., 0], value_of(observation.scale, eta, 1))

    return at


def student(observation, eta):
    scale, df = value_of(observation.scale, eta, 1), value_of(observation.df, eta, 1 + observation.scale.outputs)
    return scipy.stats.t(df, observation.spread.numpy() * eta[..., 0], scale)


def negative_binomial(observation, eta):
    r = 1 / value_of(observation.dispersion, eta, 1)
    return scipy.stats.nbinom(r, 1 / (1 + np.exp(eta[..., 0] - np.log(r))))


def binomial_log_mass(n, logit, u):
    choose = scipy.special.gammaln(n + 1) - scipy.special.gammaln(u + 1) - scipy.special.gammaln(n - u + 1)
    return choose + u * scipy.special.log_expit(logit) + (n - u) * scipy.special.log_expit(-logit)


def log_normal(observation, eta):
    normal = observation.spread.numpy() * eta[..., 0]
    return scipy.stats.lognorm(value_of(observation.scale, eta, 1), scale=np.exp(normal))


def beta(observation, eta):
    kappa = value_of(observation.concentration, eta, 1)
    return scipy.stats.beta(kappa * scipy.special.expit(eta[..., 0]), kappa * scipy.special.expit(-eta[..., 0]))


def gamma(observation, eta):
    a = value_of(observation.concentration, eta, 1)
    return scipy.stats.gamma(a, scale=np.exp(eta[..., 0]) / a)


def weibull(observation, eta):
    return scipy.stats.weibull_min(value_of(observation.concentration, eta, 1), scale=np.exp(eta[..., 0]))


def von_mises(observation, eta):
    return scipy.stats.vonmises(value_of(observation.concentration, eta, 2), np.arctan2(eta[..., 1], eta[..., 0]))


def truncated(observation, eta):
    loc, sigma = eta[..., 0], value_of(observation.scale, eta, 1)
    return scipy.stats.truncnorm((0 - loc) / sigma, (1 - loc) / sigma, loc, sigma)


def logit_normal_log_density(observation, eta, u):
    normal = scaled(scipy.stats.norm)(observation, eta)
    return normal.logpdf(np.log(u) - np.log1p(-u)) - np.log(u) - np.log1p(-u)


@dataclass(frozen=True)
class Support:
    """Where a family lives, in its own units.

    ``draw`` makes data of uniform numbers in (0, 1), ``far`` moves them into the tails, ``edges`` are within and
    ``wrong`` is without, and ``nodes`` is a double-exponential quadrature: points and weights.
    """

    draw: Callable
    edges: tuple
    wrong: tuple
    nodes: Callable | None = None
    far: Callable = lambda u: u


def quadrature(x, slope):
    """Return a function that gives points x(s) and weights x′(s) ds, s evenly spaced."""

    def nodes(half=4.0, count=8001):
        s = np.linspace(-half, half, count)
        return x(s), slope(s) * (s[1] - s[0])

    return nodes


def _far(u):
    return u * torch.tensor([1.0, -1.0, 0.0, 50.0, -50.0, 1000.0]).reshape(-1, 1, 1)


def _edges(u):
    u[:2], u[2:4] = 0.0, 1.0
    return u


def _near_edges(u):
    u[:2], u[2:4] = 1e-6, 1 - 1e-6
    return u


def _unit(s):
    return scipy.special.expit(np.pi * np.sinh(s))


def _unit_slope(s):
    return np.pi * np.cosh(s) * _unit(s) * _unit(-s)


SUPPORTS = {
    "real": Support(
        lambda p: 6 * p + 0.5,
        (-1e30, 1e30),
        (),
        quadrature(
            lambda s: np.sinh(np.pi / 2 * np.sinh(s)),
            lambda s: np.pi / 2 * np.cosh(s) * np.cosh(np.pi / 2 * np.sinh(s)),
        ),
        _far,
    ),
    "unit": Support(lambda p: p, (0.0, 1.0), (-1e-3, 1.001), quadrature(_unit, _unit_slope), _edges),
    "open": Support(
        lambda p: p, (1e-6, 1 - 1e-6), (0.0, 1.0, -1e-3, 1.001), quadrature(_unit, _unit_slope), _near_edges
    ),
    "positive": Support(
        lambda p: 6 * p + 0.5,
        (1e-6, 1e3),
        (0.0, -1.0),
        quadrature(
            lambda s: np.exp(np.pi / 2 * np.sinh(s)), lambda s: np.pi / 2 * np.cosh(s) * np.exp(np.pi / 2 * np.sinh(s))
        ),
        lambda u: u * torch.tensor([1.0, 1e-6, 1e-3, 0.1, 3.0, 10.0]).reshape(-1, 1, 1),
    ),
    "counts": Support(
        lambda p: (12 * p).floor(),
        (0.0, 1e5),
        (-1.0, 0.5),
        None,
        lambda u: u * torch.tensor([0.0, 1.0, 10.0, 1e3, 1e5, 1e6]).reshape(-1, 1, 1),
    ),
    "circle": Support(
        lambda p: 2 * np.pi * (p - 0.5),
        (-np.pi, np.pi),
        (-3.2, 3.2),
        quadrature(lambda s: 2 * np.pi * (_unit(s) - 0.5), lambda s: 2 * np.pi * _unit_slope(s)),
    ),
}


def levels(count):
    return Support(lambda p: (count * p).floor(), (0.0, count - 1.0), (-1.0, 0.5, float(count)))


@dataclass(frozen=True)
class Family:
    """What a family promises, by functions that know nothing of its code; u is x in the family's own units.

    ``log_prob(observation, eta, u)`` and ``cdf(observation, eta, u)`` take and return arrays. ``stretch`` scales eta
    and ``shift`` moves the parameters, to where quadrature, sampling and float32 hold.
    """

    measure: Measure
    outputs: int
    support: str  # a key of SUPPORTS, or levels
    log_prob: Callable
    cdf: Callable | None = None
    levels: int = 0
    samples: bool = True
    stretch: float = 1.0
    shift: float = 0.0
    quadrature: float = 1e-9  # relative error of integrals over it
    start: float | None = None  # how far from the mean of the data it may start, in their standard deviations
    mean: Callable | None = None  # where it is not the mean of the density

    @property
    def where(self):
        return levels(self.levels) if self.support == "levels" else SUPPORTS[self.support]


def scipy_family(frozen, support, outputs=1, **more):
    """Return the family of a function from (observation, eta) to a frozen scipy distribution."""
    counting = support == "counts"
    return Family(
        Measure.COUNTING if counting else Measure.LEBESGUE,
        outputs,
        support,
        lambda o, eta, u: (frozen(o, eta).logpmf if counting else frozen(o, eta).logpdf)(u),
        lambda o, eta, u: frozen(o, eta).cdf(u),
        **more,
    )


def normal_family(outputs=1, support="real"):
    return Family(
        Measure.LEBESGUE,
        outputs,
        support,
        lambda observation, eta, u: normal(observation, eta).logpdf(u),
        lambda observation, eta, u: normal(observation, eta).cdf(u),
    )


def laplace_family(outputs=1):
    def log_density(observation, eta, u):
        b = value_of(observation.scale, eta, 1)
        return -np.abs(u - observation.spread.numpy() * eta[..., 0]) / b - np.log(2 * b)

    family = scipy_family(scaled(scipy.stats.laplace), "real", outputs, quadrature=1e-4)  # for it has a kink
    return dataclasses.replace(family, log_prob=log_density)  # scipy's is the log of what underflows


def negative_binomial_family(outputs=1, **more):
    def log_mass(observation, eta, u):
        r = 1 / value_of(observation.dispersion, eta, 1)
        logit = eta[..., 0] - np.log(r)
        choose = scipy.special.gammaln(u + r) - scipy.special.gammaln(r) - scipy.special.gammaln(u + 1)
        return choose + r * scipy.special.log_expit(-logit) + u * scipy.special.log_expit(logit)

    family = scipy_family(negative_binomial, "counts", outputs, start=0.1, **more)
    return dataclasses.replace(family, log_prob=log_mass)


def von_mises_family(outputs):
    def cdf(observation, eta, u):
        frozen = von_mises(observation, eta)
        return frozen.cdf(u) - frozen.cdf(-np.pi)

    def mean(observation, eta):
        return np.arctan2(eta[..., 1], eta[..., 0])

    family = scipy_family(von_mises, "circle", outputs, mean=mean, quadrature=1e-6, start=1e-6)
    return dataclasses.replace(family, cdf=cdf)


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
    "laplace": laplace_family(),
    "laplace:scale=decoder": laplace_family(outputs=2),
    "logistic": scipy_family(scaled(scipy.stats.logistic), "real"),
    "logistic:scale=per-feature": scipy_family(scaled(scipy.stats.logistic), "real"),
    "student-t": scipy_family(student, "real"),
    "student-t:scale=decoder,df=decoder": scipy_family(student, "real", 3),
    "student-t:df=4": scipy_family(student, "real"),
    "log-normal": scipy_family(log_normal, "positive", start=1.5),
    "log-normal:scale=decoder": scipy_family(log_normal, "positive", 2, start=1.5),
    "gamma": scipy_family(gamma, "positive"),
    "gamma:concentration=decoder": scipy_family(gamma, "positive", 2, stretch=0.5),
    "gamma:concentration=100000": scipy_family(gamma, "positive", stretch=0.2),
    "weibull": scipy_family(weibull, "positive", stretch=0.25, start=1.0),
    "weibull:concentration=per-feature": scipy_family(weibull, "positive", stretch=0.25, start=1.0),
    "poisson": scipy_family(lambda o, eta: scipy.stats.poisson(np.exp(eta[..., 0])), "counts", start=0.1),
    "negative-binomial": negative_binomial_family(),
    "negative-binomial:dispersion=0.001": negative_binomial_family(),
    "negative-binomial:dispersion=decoder": negative_binomial_family(2, stretch=0.5),
    "binomial:n=255": Family(
        Measure.COUNTING,
        1,
        "levels",
        lambda o, eta, u: binomial_log_mass(255, eta[..., 0], u),
        levels=256,
    ),
    f"ordinal:categories={LEVELS}": Family(Measure.COUNTING, 1, "levels", ordinal_log_mass, levels=LEVELS, start=1.0),
    "beta": scipy_family(beta, "open", stretch=0.25, shift=3.0, quadrature=1e-6),
    "beta:concentration=decoder": scipy_family(beta, "open", 2, stretch=0.1, quadrature=1e-6),
    "kumaraswamy": Family(
        Measure.LEBESGUE,
        1,
        "open",
        lambda o, eta, u: kumaraswamy_log_density(eta[..., 0], value_of(o.concentration, eta, 1), u),
        lambda o, eta, u: kumaraswamy_cdf(eta[..., 0], value_of(o.concentration, eta, 1), u),
        stretch=0.25,
        shift=3.0,
        quadrature=1e-6,
        start=0.5,
    ),
    "logit-normal": Family(
        Measure.LEBESGUE,
        1,
        "open",
        logit_normal_log_density,
        lambda o, eta, u: scaled(scipy.stats.norm)(o, eta).cdf(scipy.special.logit(u)),
        stretch=0.5,
        shift=-1.0,
        quadrature=1e-6,
        start=0.5,
    ),
    "truncated-normal": Family(
        Measure.LEBESGUE,
        1,
        "unit",
        lambda o, eta, u: truncated_normal_log_density(eta[..., 0], value_of(o.scale, eta, 1), u),
        lambda o, eta, u: truncated(o, eta).cdf(u),
        start=0.8,
    ),
    "von-mises": von_mises_family(2),
    "von-mises:concentration=decoder": von_mises_family(3),
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
        offset, factor = observation.offset.item(), observation.factor.item()
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
