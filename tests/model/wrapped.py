"""What the wrappers promise, by references that wrap those of the families."""

import dataclasses

import mpmath as mp
import numpy as np
import scipy.special
import scipy.stats

from obsvae.model import Affine, Measure, Transformed
from tests.model import references as ref
from tests.model.families import FAMILIES, Family, scipy_family


def in_own_units(observation):
    """Return the family within an affine map, which a component in data units has."""
    is_affine = isinstance(observation, Transformed) and isinstance(observation.transform, Affine)
    return observation.inner if is_affine else observation


def mixture(family, count, **more):
    """Return the mixture of several components of a family."""

    def parts(observation, eta, u, function):
        log_weights = scipy.special.log_softmax(eta[..., :count], -1)
        for c, own in enumerate(np.split(eta[..., count:], count, -1)):
            yield log_weights[..., c], function(in_own_units(observation.parts[c]), own, u)

    def log_prob(observation, eta, u):
        return np.logaddexp.reduce([w + log_p for w, log_p in parts(observation, eta, u, family.log_prob)])

    def cdf(observation, eta, u):
        return sum(np.exp(w) * below for w, below in parts(observation, eta, u, family.cdf))

    outputs = count * (1 + family.outputs)
    locations = (0, *range(count, outputs, family.outputs))
    changes = {"outputs": outputs, "log_prob": log_prob, "cdf": cdf, "locations": locations, "start": 0.5, **more}
    return dataclasses.replace(family, **changes)


def zero_inflated(family, **more):
    """Return a family with a mass on 0."""
    is_mass = family.measure is Measure.COUNTING

    def log_prob(observation, eta, u):
        log_zero, log_other = scipy.special.log_expit(eta[..., 0]), scipy.special.log_expit(-eta[..., 0])
        at = u if is_mass else np.where(u == 0, 1.0, u)
        log_other = log_other + family.log_prob(observation.inner, eta[..., 1:], at)
        return np.where(u == 0, np.logaddexp(log_zero, log_other) if is_mass else log_zero, log_other)

    def cdf(observation, eta, u):
        zero = scipy.special.expit(eta[..., 0])
        return np.where(u < 0, 0.0, zero + (1 - zero) * family.cdf(observation.inner, eta[..., 1:], u))

    changes = {
        "measure": Measure.COUNTING if is_mass else Measure.MIXED,
        "outputs": 1 + family.outputs,
        "support": "counts" if is_mass else "zero or positive",
        "log_prob": log_prob,
        "cdf": cdf,
        "locations": (0, 1),
        **more,
    }
    return dataclasses.replace(family, **changes)


# Distribution functions of the standard ones, for t < 0; both are symmetric.
def normal_below(t):
    return mp.erfc(-t / mp.sqrt(2)) / 2


def logistic_below(t):
    return 1 / (1 + mp.exp(-t))


def discretised(below, count, outputs=1):
    """Return the masses of a number of cells under a location-scale family."""

    @np.vectorize
    def log_mass(low, high, loc, scale):
        with mp.workdps(50):
            a, b = ((mp.mpf(float(end)) - float(loc)) / float(scale) for end in (low, high))
            if a + b > 0:  # on the left, where the digits are
                a, b = -b, -a
            return float(mp.log(below(b) - below(a)))

    def log_prob(observation, eta, u):
        grid, inner = observation.grid, observation.inner
        low, high = (grid.low + (u + side) * grid.step for side in (-0.5, 0.5))
        low, high = np.where(u == 0, -np.inf, low), np.where(u == count - 1, np.inf, high)
        return log_mass(low, high, ref.location_of(inner, eta), ref.value_of(inner.scale, eta, 1))

    # Of a feature that is always at an end of the grid the start has half of its density beyond it.
    return Family(Measure.COUNTING, outputs, "levels", log_prob, levels=count, start=0.7)


def transformed(standard, forward, inverse, log_slope, support, **more):
    """Return a location-scale family of u = inverse(x).

    Args:
        standard: scipy's, at a location and scale; more parameters of the inner family come first.
        forward: x of u, given the observation.
        inverse: u of x.
        log_slope: log du/dx.
        support: where x is.
        more: of the family.
    """

    def log_prob(observation, eta, x):
        return standard(observation.inner, eta).logpdf(inverse(observation, x)) + log_slope(observation, x)

    def cdf(observation, eta, x):
        return standard(observation.inner, eta).cdf(inverse(observation, x))

    def median(observation, eta):
        return forward(observation, ref.location_of(observation.inner, eta))

    return Family(Measure.LEBESGUE, 1, support, log_prob, cdf, mean=median, **more)


def yeo_johnson(observation, x):
    return scipy.stats.yeojohnson(x, observation.transform.power.item())


def yeo_johnson_log_slope(observation, x):
    return np.sign(x) * (observation.transform.power.item() - 1) * np.log1p(np.abs(x))


def yeo_johnson_inverse(observation, u):
    power = np.where(u >= 0, observation.transform.power.item(), 2 - observation.transform.power.item())
    return np.sign(u) * scipy.special.inv_boxcox1p(np.abs(u), power)


LOG = (lambda _, u: np.exp(u), lambda _, x: np.log(x), lambda _, x: -np.log(x), "positive")
LOGIT = (
    lambda _, u: scipy.special.expit(u),
    lambda _, x: np.log(x) - np.log1p(-x),
    lambda _, x: -np.log(x) - np.log1p(-x),
    "open",
)
YEO_JOHNSON = (yeo_johnson_inverse, yeo_johnson, yeo_johnson_log_slope, "real")
NORMAL = ref.scaled(scipy.stats.norm)
LOGISTIC = scipy_family(ref.scaled(scipy.stats.logistic), "real", 2)
LOG_NORMAL = scipy_family(
    lambda o, eta: ref.log_normal(o.inner, eta),
    "positive",
    mean=lambda o, eta: ref.log_normal(o.inner, eta).median(),
    start=1.5,
)

WRAPPED = {
    "transformed:transform=log,inner=normal": LOG_NORMAL,
    "transformed:transform=log,inner=student-t,df=4": transformed(ref.student, *LOG, start=1.5, quadrature=1e-5),
    "transformed:transform=logit,inner=normal": transformed(NORMAL, *LOGIT, stretch=0.5, shift=-1.0, start=0.5),
    "transformed:transform=yeo-johnson,inner=normal": transformed(NORMAL, *YEO_JOHNSON, start=1.0),
    "mixture:components=3,inner=logistic,scale=decoder": mixture(LOGISTIC, 3),
    "mixture:components=2,inner=poisson": mixture(FAMILIES["poisson"], 2),
    "mixture:components=2,inner=beta": mixture(FAMILIES["beta"], 2),
    "zero-inflated:inner=poisson": zero_inflated(FAMILIES["poisson"], start=0.5),
    "zero-inflated:inner=negative-binomial": zero_inflated(FAMILIES["negative-binomial"], start=0.5),
    "zero-inflated:inner=gamma": zero_inflated(FAMILIES["gamma"], start=0.5),
    "discretised:inner=logistic,scale=decoder": discretised(logistic_below, 5, 2),
    "discretised:inner=normal": discretised(normal_below, 17),
}
EVERY = FAMILIES | WRAPPED
