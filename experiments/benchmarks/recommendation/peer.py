"""What people use: distributions of SciPy fitted to a column, the best by AIC, as distfit and Fitter rank them."""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import scipy.optimize
import scipy.stats

# Distributions of real numbers by the name of the family here, with what is fixed in fitting them.
_CONTINUOUS: Mapping[str, tuple[scipy.stats.rv_continuous, Mapping[str, float]]] = {
    "normal": (scipy.stats.norm, {}),
    "laplace": (scipy.stats.laplace, {}),
    "logistic": (scipy.stats.logistic, {}),
    "student-t": (scipy.stats.t, {}),
    "log-normal": (scipy.stats.lognorm, {"floc": 0}),
    "gamma": (scipy.stats.gamma, {"floc": 0}),
    "weibull": (scipy.stats.weibull_min, {"floc": 0}),
    "beta": (scipy.stats.beta, {"floc": 0, "fscale": 1}),
    "von-mises": (scipy.stats.vonmises, {"fscale": 1}),
}
# Distinct whole numbers up to which a mass is fitted for each.
_LEVELS = 20


def marginal_family(columns: Sequence[np.ndarray]) -> str:
    r"""Return the family whose fits to columns have the least AIC, summed over them.

    .. math:: \text{AIC} = 2 k - 2 \log L, \qquad k \text{ parameters of each column}

    Args:
        columns: numbers ``(N,)`` or texts, each fitted by itself. Of an array the same family is wanted for all.
    """
    fits = [dict(_fits(np.asarray(column))) for column in columns]
    totals = {name: sum(one[name] for one in fits) for name in fits[0] if all(name in one for one in fits)}
    return min(totals, key=lambda name: totals[name])


def _fits(x: np.ndarray) -> Iterator[tuple[str, float]]:
    """Yield the AIC of each family that takes all values of a column."""
    if x.dtype.kind not in "biuf":
        yield "categorical", _of_masses(x)
        return
    x = x.astype(np.float64)
    is_whole = bool((x == np.rint(x)).all())
    if is_whole and len(np.unique(x)) <= _LEVELS:
        yield "bernoulli" if set(np.unique(x)) <= {0, 1} else "categorical", _of_masses(x)
    if is_whole and x.min() >= 0:
        yield from _of_counts(x)
        return
    for name, (distribution, fixed) in _CONTINUOUS.items():
        aic = _of_density(distribution, x, fixed)
        if math.isfinite(aic):
            yield name, aic


def _of_density(distribution: scipy.stats.rv_continuous, x: np.ndarray, fixed: Mapping[str, float]) -> float:
    """Return the AIC of a density; infinite where it does not take all values."""
    if distribution is scipy.stats.vonmises and np.abs(x).max() > math.pi:
        return math.inf
    if distribution is scipy.stats.beta and not 0 < x.min() <= x.max() < 1:
        return math.inf
    if "floc" in fixed and x.min() <= 0:
        return math.inf
    parameters = distribution.fit(x, **fixed)
    return 2 * (len(parameters) - len(fixed)) - 2 * float(distribution.logpdf(x, *parameters).sum())


def _of_counts(x: np.ndarray) -> Iterator[tuple[str, float]]:
    mean, most = float(x.mean()), int(x.max())
    yield "poisson", 2 - 2 * float(scipy.stats.poisson.logpmf(x, mean).sum())
    yield "binomial", 4 - 2 * float(scipy.stats.binom.logpmf(x, most, mean / most).sum())
    yield "geometric", 2 - 2 * float(scipy.stats.geom.logpmf(x + 1, 1 / (1 + mean)).sum())

    def of_size(log_size: float) -> float:
        size = math.exp(log_size)
        return -float(scipy.stats.nbinom.logpmf(x, size, size / (size + mean)).sum())

    found = scipy.optimize.minimize_scalar(of_size, bounds=(-5, 12), method="bounded")
    yield "negative-binomial", 4 + 2 * float(found.fun)


def _of_masses(x: np.ndarray) -> float:
    counts = np.unique(x, return_counts=True)[1]
    return 2 * (len(counts) - 1) - 2 * float((counts * np.log(counts / len(x))).sum())
