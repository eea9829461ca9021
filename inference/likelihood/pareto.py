"""Pareto smoothed importance sampling, of the weights of many data at once."""

import numpy as np

# Fewer weights have too few in their tail for a fit.
MIN_PARTICLES = 30
# The tail holds a fifth of the weights, and of more than 225, where that is less, three times their root.
_SHARE, _ROOTS = 5, 3.0
# Weights further apart than this underflow in the fit.
_FITTED_NATS = 200.0
# Weights closer together than this are equal: float32 rounding sets such differences, and they have no tail to fit.
_EQUAL_NATS = 1e-3
# Values of θ that the fit averages over, besides the root of the number of weights; its prior, in weights.
_VALUES, _PRIOR_SCALE = 30, 3.0
# The prior of k̂: its mean, and how many weights it counts for.
_MEAN, _COUNTS = 0.5, 10.0
# Posterior weights of θ below this are taken for 0.
_NEGLIGIBLE = 10 * np.finfo(float).eps
# Numbers that are held at once.
_AT_ONCE = 2**16


def pareto_khat(log_weights: np.ndarray) -> np.ndarray:
    """Return the Pareto k̂ of log-weights ``(K, N)``, ``(N,)``; see :func:`pareto_smoothed`."""
    return pareto_smoothed(log_weights)[0]


def pareto_smoothed(log_weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Return k̂ of each datum, and its log-weights with the largest smoothed.

    The largest M weights less the next one, y, are fitted by a generalised Pareto distribution,

    .. math:: p(y \mid \sigma, k) = \frac{1}{\sigma} \Big(1 + \frac{k y}{\sigma}\Big)^{-1/k - 1}, \qquad
              \theta = -k / \sigma

    whose θ is the mean of its posterior over a lattice, with k = Σ log(1 − θ y) / M, drawn to ½ as by ten further
    weights. The M weights are replaced by its quantiles at (m − ½) / M, none of them above the largest.

    Args:
        log_weights: ``(K, N)``, in nats.

    Returns:
        k̂ ``(N,)``, and log-weights ``(K, N)``. k̂ is NaN where K < 30, a weight is NaN or +inf, or most of the tail
        is equal to its least weight; −inf where all of the tail is; +inf where fewer weights are above 0 than it needs.
        Of a tail that spans more than 200 nats k̂ is Hill's. In all these cases the log-weights are as they were.

    References: Vehtari, Simpson, Gelman, Yao and Gabry, *Pareto smoothed importance sampling*, JMLR 2024; Zhang and
    Stephens, *A new and efficient estimation method for the generalized Pareto distribution*, Technometrics 2009;
    Hill, *A simple general approach to inference about the tail of a distribution*, 1975.
    """
    K, N = log_weights.shape
    smoothed, khat = np.array(log_weights, dtype=np.float64), np.full(N, np.nan)
    if K < MIN_PARTICLES:
        return khat, smoothed
    size = tail_size(K)
    each = K + size * (_VALUES + int(np.sqrt(size)))
    for part in np.array_split(np.arange(N), max(1, -(-N * each // _AT_ONCE))):
        # A datum's weights side by side: then their sums do not depend on the data beside it.
        khat[part], changed = _smooth(np.ascontiguousarray(smoothed[:, part].T), size)
        smoothed[:, part] = changed.T
    return khat, smoothed


def tail_size(K: int) -> int:
    """Return how many of K weights are the tail."""
    return int(min(K // _SHARE, _ROOTS * np.sqrt(K)))


def _smooth(log_w: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return k̂ and the smoothed log-weights of some data, ``(n, K)``, which are changed."""
    order = np.argpartition(log_w, -size - 1)[:, -size - 1 :]  # NaN is above all others
    order = np.take_along_axis(order, np.take_along_axis(log_w, order, 1).argsort(1), 1)
    tail = np.take_along_axis(log_w, order, 1)  # (n, M + 1), the first is the next one
    first, last = tail[:, 0], tail[:, -1]
    with np.errstate(invalid="ignore"):  # of unusable weights
        span = last - first
    usable, some = last < np.inf, first > -np.inf
    khat = np.full(len(log_w), np.nan)
    khat[usable & ~some] = np.inf
    equal, wide = usable & some & (span < _EQUAL_NATS), usable & some & (span > _FITTED_NATS)
    khat[equal] = -np.inf
    # The tail index on the log scale, where nothing underflows; such a tail has k̂ far above 1.
    khat[wide] = (tail[wide, 1:] - tail[wide, :1]).mean(1)
    fitted = np.flatnonzero(usable & some & ~equal & ~wide)
    if len(fitted):
        khat[fitted], values = _fit(tail[fitted])
        log_w[fitted[:, None], order[fitted, 1:]] = values
    return khat, log_w


def _fit(tail: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return k̂ ``(n,)`` and the smoothed values of sorted log-weights ``(n, M + 1)`` above the first, ``(n, M)``."""
    peak = tail[:, -1:]
    w = np.exp(tail - peak)
    y = w[:, 1:] - w[:, :1]
    M = y.shape[1]
    quartile = y[:, int(M / 4 + 0.5) - 1][:, None]
    can = quartile[:, 0] > y[:, 0]  # else the tail is no Pareto's
    J = _VALUES + int(np.sqrt(M))
    with np.errstate(all="ignore"):
        steps = 1.0 - np.sqrt(J / (np.arange(1, J + 1) - 0.5))
        theta = 1.0 / y[:, -1:] + steps / (_PRIOR_SCALE * quartile)  # (n, J)
        k = np.log(1.0 - theta[..., None] * y[:, None]).mean(-1)  # log1p takes ten times as long
        log_posterior = M * (np.log(-theta / k) - k - 1.0)
        posterior = np.exp(log_posterior - log_posterior.max(1, keepdims=True))
        posterior /= posterior.sum(1, keepdims=True)
        posterior = np.where(posterior >= _NEGLIGIBLE, posterior, 0.0)
        mean = (theta * posterior).sum(1, keepdims=True) / posterior.sum(1, keepdims=True)
        k = np.log1p(-mean * y).mean(1, keepdims=True)
        sigma = -k / mean
        k = (M * k + _COUNTS * _MEAN) / (M + _COUNTS)
        log_survival = np.log1p(-(np.arange(1, M + 1) - 0.5) / M)
        excess = np.where(k == 0, -log_survival, np.expm1(-k * log_survival) / np.where(k == 0, 1.0, k))
        values = peak + np.minimum(np.log(w[:, :1] + sigma * excess), 0.0)
    found = np.isfinite(k) & (sigma > 0) & can[:, None]
    khat = np.where(can, np.where(np.isnan(k[:, 0]), np.inf, k[:, 0]), np.nan)
    return khat, np.where(found, values, tail[:, 1:])
