"""Estimates of log p(x), datum by datum, and their summary."""

import math
from dataclasses import dataclass, fields, replace

import numpy as np

from obsvae.inference.likelihood.diagnostics import KHAT_LIMIT, WeightDiagnostics


@dataclass(frozen=True)
class LogLikelihood:
    """Estimates of log p(x) in data units, one per datum, with diagnostics.

    Attributes:
        weights: the estimate, standard error, ESS, k̂ and flag of each datum.
        mean_log_weight: of each datum in nats, ``(N,)``: with the amortised proposal an estimate of the guide's ELBO.
        particles: K, the number of importance samples per datum that the estimate rests on.
        evaluations: how often p(x, z) was evaluated for each datum in all, ``(N,)``; a Jacobian counts once.
        features: number of features of a datum, on average: missing ones do not count.
        proposal: name of the proposal.
        remedy: what to do about flagged data.
        log_weights: ``(K, n)`` in nats of the first n data where they were asked for, else None.
        z: the particles ``(K, n, D)`` likewise.
    """

    weights: WeightDiagnostics
    mean_log_weight: np.ndarray
    particles: int
    evaluations: np.ndarray
    features: float
    proposal: str
    remedy: str = ""
    log_weights: np.ndarray | None = None
    z: np.ndarray | None = None

    def first(self, n: int) -> "LogLikelihood":
        """Return the estimates of the first n data."""
        weights = {f.name: getattr(self.weights, f.name)[:n] for f in fields(WeightDiagnostics)}
        return replace(
            self,
            weights=WeightDiagnostics(**weights),
            mean_log_weight=self.mean_log_weight[:n],
            evaluations=self.evaluations[:n],
            log_weights=None if self.log_weights is None else self.log_weights[:, :n],
            z=None if self.z is None else self.z[:, :n],
        )

    def summary(self) -> dict[str, float]:
        """Return totals over data: means in nats, bits per dimension, and how the weights fared.

        ``standard_error`` is that of the mean over data: it holds the spread of the data and the noise of the
        particles, but not the bias of a poor proposal, which k̂ and ``flagged`` speak of. ``smoothed`` and
        ``jackknife`` are no bounds. Means are over the data that have an estimate; ``unusable`` counts the others.
        ``jackknife`` also leaves out data with a single weight above 0.
        """
        w, usable = self.weights, self.weights.usable
        n = int(usable.sum())
        estimate = w.estimate[usable]
        mean = float(estimate.mean()) if n else math.nan

        def median(values: np.ndarray) -> float:
            return float(np.median(values[usable])) if n else math.nan

        return {
            "nats_per_datum": mean,
            "standard_error": float(estimate.std(ddof=1) / math.sqrt(n)) if n > 1 else math.nan,
            "bits_per_dim": -mean / (self.features * math.log(2.0)) if self.features else math.nan,
            "mean_log_weight": float(self.mean_log_weight[usable].mean()) if n else math.nan,
            "smoothed": float(w.smoothed[usable].mean()) if n else math.nan,
            "jackknife": float(np.nanmean(w.jackknife)) if np.isfinite(w.jackknife).any() else math.nan,
            "particles": self.particles,
            "evaluations": float(self.evaluations.mean()),
            "n": len(self.mean_log_weight),
            "unusable": len(self.mean_log_weight) - n,
            "flagged": float(w.flagged.mean()),
            "ess_median": median(w.ess),
            "khat_median": median(w.khat),
            f"khat_above_{KHAT_LIMIT}": float((w.khat[usable] > KHAT_LIMIT).mean())
            if n and not np.isnan(w.khat[usable]).any()
            else math.nan,
        }
