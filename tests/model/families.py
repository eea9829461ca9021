"""What every registered family promises, with its options, but for the wrappers."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.special
import scipy.stats

from obsvae.model import Measure
from tests.model import references as ref
from tests.model.supports import SUPPORTS, levels

LEVELS = 5


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
    locations: tuple[int, ...] = (0,)  # outputs that say where the density is, which data drive far out

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
        lambda observation, eta, u: ref.normal(observation, eta).logpdf(u),
        lambda observation, eta, u: ref.normal(observation, eta).cdf(u),
    )


def laplace_family(outputs=1):
    def log_density(observation, eta, u):
        b = ref.value_of(observation.scale, eta, 1)
        return -np.abs(u - ref.location_of(observation, eta)) / b - np.log(2 * b)

    family = scipy_family(ref.scaled(scipy.stats.laplace), "real", outputs, quadrature=1e-4)  # for it has a kink
    return dataclasses.replace(family, log_prob=log_density)  # scipy's is the log of what underflows


def negative_binomial_family(outputs=1, **more):
    def log_mass(observation, eta, u):
        r = 1 / ref.value_of(observation.dispersion, eta, 1)
        logit = eta[..., 0] - np.log(r)
        choose = scipy.special.gammaln(u + r) - scipy.special.gammaln(r) - scipy.special.gammaln(u + 1)
        return choose + r * scipy.special.log_expit(-logit) + u * scipy.special.log_expit(logit)

    family = scipy_family(ref.negative_binomial, "counts", outputs, start=0.1, **more)
    return dataclasses.replace(family, log_prob=log_mass)


def von_mises_family(outputs):
    def cdf(observation, eta, u):
        frozen = ref.von_mises(observation, eta)
        return frozen.cdf(u) - frozen.cdf(-np.pi)

    def mean(observation, eta):
        return np.arctan2(eta[..., 1], eta[..., 0])

    family = scipy_family(ref.von_mises, "circle", outputs, mean=mean, quadrature=1e-6, start=1e-6)
    return dataclasses.replace(family, cdf=cdf)


CONTINUOUS_BERNOULLI = Family(
    Measure.LEBESGUE,
    1,
    "unit",
    lambda observation, eta, u: ref.continuous_bernoulli_log_density(ref.natural(observation, eta), u),
    lambda observation, eta, u: ref.continuous_bernoulli_cdf(ref.natural(observation, eta), u),
)
FAMILIES = {
    "bernoulli": Family(
        Measure.COUNTING,
        1,
        "levels",
        lambda _, eta, u: scipy.special.log_expit(np.where(u == 1, eta[..., 0], -eta[..., 0])),
        levels=2,
    ),
    f"categorical:categories={LEVELS}": Family(
        Measure.COUNTING, LEVELS, "levels", ref.categorical_log_mass, levels=LEVELS
    ),
    "continuous-bernoulli": CONTINUOUS_BERNOULLI,
    "continuous-bernoulli:matched=true": CONTINUOUS_BERNOULLI,
    "unnormalised-bernoulli": Family(
        Measure.NONE, 1, "unit", lambda _, eta, u: u * eta[..., 0] - ref.softplus(eta[..., 0]), samples=False
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
    "logistic": scipy_family(ref.scaled(scipy.stats.logistic), "real"),
    "logistic:scale=per-feature": scipy_family(ref.scaled(scipy.stats.logistic), "real"),
    "student-t": scipy_family(ref.student, "real", start=0.5),  # from the median
    "student-t:scale=decoder,df=decoder": scipy_family(ref.student, "real", 3, start=0.5),
    "student-t:df=4": scipy_family(ref.student, "real", start=0.5),
    "log-normal": scipy_family(ref.log_normal, "positive", start=1.5),
    "log-normal:scale=decoder": scipy_family(ref.log_normal, "positive", 2, start=1.5),
    "gamma": scipy_family(ref.gamma, "positive"),
    "gamma:concentration=decoder": scipy_family(ref.gamma, "positive", 2, stretch=0.5),
    "gamma:concentration=100000": scipy_family(ref.gamma, "positive", stretch=0.2),
    "weibull": scipy_family(ref.weibull, "positive", stretch=0.25, start=1.0),
    "weibull:concentration=per-feature": scipy_family(ref.weibull, "positive", stretch=0.25, start=1.0),
    "poisson": scipy_family(lambda o, eta: scipy.stats.poisson(np.exp(eta[..., 0])), "counts", start=0.1),
    "negative-binomial": negative_binomial_family(),
    "negative-binomial:dispersion=0.001": negative_binomial_family(),
    "negative-binomial:dispersion=decoder": negative_binomial_family(2, stretch=0.5),
    "binomial:n=255": Family(
        Measure.COUNTING,
        1,
        "levels",
        lambda o, eta, u: ref.binomial_log_mass(255, eta[..., 0], u),
        levels=256,
    ),
    f"ordinal:categories={LEVELS}": Family(
        Measure.COUNTING, 1, "levels", ref.ordinal_log_mass, levels=LEVELS, start=1.0
    ),
    "beta": scipy_family(ref.beta, "open", stretch=0.25, shift=3.0, quadrature=1e-6),
    "beta:concentration=decoder": scipy_family(ref.beta, "open", 2, stretch=0.1, quadrature=1e-6),
    "kumaraswamy": Family(
        Measure.LEBESGUE,
        1,
        "open",
        lambda o, eta, u: ref.kumaraswamy_log_density(eta[..., 0], ref.value_of(o.concentration, eta, 1), u),
        lambda o, eta, u: ref.kumaraswamy_cdf(eta[..., 0], ref.value_of(o.concentration, eta, 1), u),
        stretch=0.25,
        shift=3.0,
        quadrature=1e-6,
        start=0.5,
    ),
    "logit-normal": Family(
        Measure.LEBESGUE,
        1,
        "open",
        ref.logit_normal_log_density,
        lambda o, eta, u: ref.scaled(scipy.stats.norm)(o, eta).cdf(scipy.special.logit(u)),
        stretch=0.5,
        shift=-1.0,
        quadrature=1e-6,
        start=0.5,
    ),
    "truncated-normal": Family(
        Measure.LEBESGUE,
        1,
        "unit",
        lambda o, eta, u: ref.truncated_normal_log_density(eta[..., 0], ref.value_of(o.scale, eta, 1), u),
        lambda o, eta, u: ref.truncated(o, eta).cdf(u),
        start=0.8,
    ),
    "von-mises": von_mises_family(2),
    "von-mises:concentration=decoder": von_mises_family(3),
}
