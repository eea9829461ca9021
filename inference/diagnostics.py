"""How far importance weights can be trusted."""

from dataclasses import dataclass

import numpy as np
from arviz_stats.base import array_stats

# PSIS fits its tail to the largest min(K / 5, 3 √K) weights, and ArviZ needs more than five of them.
MIN_PARTICLES = 30
KHAT_LIMIT = 0.7
# Weights further apart than this underflow in ArviZ's fit.
_FITTED_NATS = 200.0
# Weights closer together than this are equal: float32 rounding sets such differences, and they have no tail to fit.
_EQUAL_NATS = 1e-3


@dataclass(frozen=True)
class WeightDiagnostics:
    """What K log-weights of each of N data say, as arrays ``(N,)``.

    Attributes:
        estimate: log of the mean weight, log p̂(x), in nats.
        standard_error: of ``estimate``, by the delta method; NaN for K = 1.
        ess: effective sample size (Σ w)² / Σ w², between 1 and K.
        khat: Pareto k̂ of the largest weights; NaN where K < 30; −inf where the largest weights are all equal.
    """

    estimate: np.ndarray
    standard_error: np.ndarray
    ess: np.ndarray
    khat: np.ndarray


def diagnose(log_weights: np.ndarray, first: int = 0) -> WeightDiagnostics:
    r"""Return the importance-sampling estimate of each datum with its diagnostics.

    .. math:: \log \hat p = \log \frac{1}{K} \sum_k w_k, \qquad
              \mathrm{ESS} = \frac{(\sum_k w_k)^2}{\sum_k w_k^2}, \qquad
              \mathrm{se}^2(\log \hat p) \approx \frac{K}{K - 1} \Big(\frac{1}{\mathrm{ESS}} - \frac{1}{K}\Big)

    Args:
        log_weights: ``(K, N)``, in nats.
        first: index of the first datum, for messages.

    Raises:
        ValueError: where a datum has a NaN or +inf among its log-weights, or nothing but −inf.

    References: Kong, *A note on importance sampling using standardized weights*, 1992 (ESS); Vehtari, Simpson, Gelman,
    Yao and Gabry, *Pareto smoothed importance sampling*, JMLR 2024 (k̂; computed by ArviZ); Hill, *A simple general
    approach to inference about the tail of a distribution*, 1975 (k̂ of weights that span more than 200 nats).
    """
    log_weights = np.asarray(log_weights, dtype=np.float64)
    K = len(log_weights)
    usable = (log_weights < np.inf).all(0) & np.isfinite(log_weights).any(0)  # NaN < inf is false
    if not usable.all():
        which = np.flatnonzero(~usable)
        raise ValueError(
            f"{len(which)} data have no usable weight (NaN, +inf, or all −inf), the first at index {first + which[0]}; "
            "their x may be impossible under the model, or the model's weights not finite"
        )
    peak = log_weights.max(0)
    weights = log_weights - peak
    np.exp(weights, out=weights)
    total = weights.sum(0)
    ess = total**2 / np.einsum("kn,kn->n", weights, weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        standard_error = np.sqrt(np.maximum(1.0 / ess - 1.0 / K, 0.0) * np.divide(K, K - 1))
    khat = np.array([_khat(column) for column in log_weights.T])
    return WeightDiagnostics(peak + np.log(total / K), standard_error, ess, khat)


def _khat(log_weights: np.ndarray) -> float:
    K = len(log_weights)
    if K < MIN_PARTICLES:
        return np.nan
    size = int(min(np.ceil(0.2 * K), np.ceil(3.0 * np.sqrt(K))))
    tail = np.sort(log_weights)[-size - 1 :]
    if np.isneginf(tail[0]):  # fewer weights above zero than a tail needs
        return np.inf
    span = tail[-1] - tail[0]
    if span < _EQUAL_NATS:
        return -np.inf
    if span > _FITTED_NATS:
        # Hill's estimator is the tail index on the log scale, where nothing underflows; such a tail has k̂ far above 1.
        return float((tail[1:] - tail[0]).mean())
    # ArviZ smooths importance weights for leave-one-out: it takes log-likelihoods, the negatives of log-weights.
    return float(array_stats.psislw(-log_weights)[1])
