"""How far importance weights can be trusted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.inference.likelihood.pareto import pareto_smoothed

KHAT_LIMIT = 0.7
# Below it the standard error of an estimate is above 0.3 nats.
ESS_LIMIT = 10.0


@dataclass(frozen=True)
class WeightDiagnostics:
    """Estimate and diagnostics from K log-weights of each of N data, as arrays ``(N,)``.

    Attributes:
        estimate: log of the mean weight, log p̂(x), in nats: in expectation a lower bound. NaN where a weight is NaN or
            +inf, −inf where all are 0.
        standard_error: of ``estimate``, by the delta method; NaN for K = 1.
        ess: effective sample size (Σ w)² / Σ w², between 1 and K; 0 without a usable weight.
        khat: Pareto k̂ of the largest weights; NaN where K < 30; −inf where the largest weights are all equal.
        smoothed: log of the mean weight once the largest are Pareto smoothed, in nats; no bound. That of the raw
            weights where nothing can be smoothed: K < 30, or a tail that spans more than 200 nats.
        jackknife: ``estimate`` less its bias to first order in 1/K, in nats; no bound. NaN for K = 1, or where all but
            one weight are 0.
    """

    estimate: np.ndarray
    standard_error: np.ndarray
    ess: np.ndarray
    khat: np.ndarray
    smoothed: np.ndarray
    jackknife: np.ndarray

    @property
    def usable(self) -> np.ndarray:
        """Whether a datum has an estimate at all."""
        return np.isfinite(self.estimate)

    @property
    def flagged(self) -> np.ndarray:
        """Whether an estimate is not to be trusted: unusable, k̂ above 0.7 or unknown, or an ESS below 10."""
        return ~(self.usable & (self.khat <= KHAT_LIMIT) & (self.ess >= ESS_LIMIT))


def amortisation_gap(refined: WeightDiagnostics, amortised: WeightDiagnostics) -> np.ndarray:
    """Return refined less amortised estimates in nats, ``(N,)``: how much of log p(x) the guide misses by itself.

    Infinite where all of the guide's particles have probability 0, NaN where either has no estimate otherwise.
    """
    by_guide = np.where(amortised.usable | np.isneginf(amortised.estimate), amortised.estimate, np.nan)
    return np.where(refined.usable, refined.estimate, np.nan) - by_guide


def diagnose(log_weights: np.ndarray) -> WeightDiagnostics:
    r"""Return the importance-sampling estimate of each datum with its diagnostics.

    .. math:: \log \hat p = \log \frac{1}{K} \sum_k w_k, \qquad
              \mathrm{ESS} = \frac{(\sum_k w_k)^2}{\sum_k w_k^2}, \qquad
              \mathrm{se}^2(\log \hat p) \approx \frac{K}{K - 1} \Big(\frac{1}{\mathrm{ESS}} - \frac{1}{K}\Big)

    and the jackknife, from the estimates without one weight each,

    .. math:: K \log \hat p - \frac{K - 1}{K} \sum_k \log \hat p_{-k}

    Args:
        log_weights: ``(K, N)``, in nats.

    References: Kong, *A note on importance sampling using standardized weights*, 1992 (ESS); Vehtari, Simpson, Gelman,
    Yao and Gabry, *Pareto smoothed importance sampling*, JMLR 2024 (k̂ and smoothing); Nowozin,
    *Debiasing evidence approximations*, ICLR 2018 (jackknife); Hill, *A simple general approach to inference about
    the tail of a distribution*, 1975 (k̂ of weights that span more than 200 nats).
    """
    log_weights = np.asarray(log_weights, dtype=np.float64)
    if log_weights.ndim != 2 or not len(log_weights):
        raise UsageError(f"log_weights need to be of shape (K, N) with K ≥ 1, but got {log_weights.shape}")
    K = len(log_weights)
    peak = log_weights.max(0)  # NaN where one is
    with np.errstate(all="ignore"):  # of unusable weights
        weights = np.exp(log_weights - peak)
        total = weights.sum(0)
        estimate = np.where(np.isneginf(peak), -np.inf, peak + np.log(total / K))
        estimate[peak == np.inf] = np.nan
        ess = effective_sample_size(log_weights)
        standard_error = np.sqrt(np.maximum(1.0 / ess - 1.0 / K, 0.0) * np.divide(K, K - 1))
        standard_error[ess == 0] = np.nan
        jackknife = _jackknife(weights, total, estimate)
        usable = np.isfinite(estimate)
        khat, log_w = pareto_smoothed(log_weights)
        smoothed = np.where(usable, np.logaddexp.reduce(log_w) - np.log(K), estimate)
        khat[~usable] = np.nan
    return WeightDiagnostics(estimate, standard_error, ess, khat, smoothed, jackknife)


def estimates_by_particles(log_weights: np.ndarray, counts: Sequence[int]) -> np.ndarray:
    """Return what the estimate of each datum is with fewer particles, for each count k ≤ K, ``(len(counts), N)``.

    The K log-weights ``(K, N)`` are cut into K // k blocks of k, and the estimates of the blocks averaged. Where a
    block has no usable weight the average is not finite.
    """
    K, N = log_weights.shape
    means = []
    for k in counts:
        blocks = log_weights[: K // k * k].reshape(K // k, k, N)
        means.append((np.logaddexp.reduce(blocks, 1) - np.log(k)).mean(0))
    return np.stack(means)


def effective_sample_size(log_weights: np.ndarray) -> np.ndarray:
    """Return (Σ w)² / Σ w² of log-weights ``(K, N)``, ``(N,)``; 0 where no weight is usable."""
    with np.errstate(all="ignore"):
        weights = np.exp(log_weights - log_weights.max(0))
        return np.nan_to_num(weights.sum(0) ** 2 / np.einsum("kn,kn->n", weights, weights))


def smoothed_weights(log_weights: np.ndarray) -> np.ndarray:
    """Return Pareto smoothed weights that add up to one over the particles, ``(K, N)``, of log-weights ``(K, N)``.

    Raw ones where nothing can be smoothed; NaN for a datum without a usable weight.
    """
    with np.errstate(invalid="ignore"):  # of unusable weights
        smoothed = pareto_smoothed(log_weights)[1]
        weights = np.exp(smoothed - smoothed.max(0))
        usable = np.isfinite(log_weights.max(0))  # NaN where one is
        return np.where(usable, weights / weights.sum(0), np.nan)


def usable_or_zero(log_weights: Tensor) -> Tensor:
    """Return log-weights with −inf, a weight of 0, in the place of NaN and +inf."""
    return log_weights.nan_to_num(-math.inf, posinf=-math.inf, neginf=-math.inf)


def _jackknife(weights: np.ndarray, total: np.ndarray, estimate: np.ndarray) -> np.ndarray:
    K = len(weights)
    if K == 1:
        return np.full_like(estimate, np.nan)
    # Without the heaviest the others are summed afresh: the difference of two near equals would leave rounding.
    heaviest = weights.argmax(0)[None]
    others = np.where(np.arange(K)[:, None] == heaviest, 0.0, weights).sum(0)
    without = np.log1p(-weights / total)  # log of (total − w) / total
    np.put_along_axis(without, heaviest, np.log(others / total)[None], 0)
    mean_without = estimate + without.mean(0) + np.log(K / (K - 1))
    debiased = K * estimate - (K - 1) * mean_without
    return np.where(np.isfinite(debiased), debiased, np.nan)  # one weight that is all of them leaves nothing without it
