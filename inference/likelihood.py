"""The importance-weighted likelihood, datum by datum."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace

import numpy as np
import pyro
import torch
from pyro import poutine
from pyro.distributions import Delta
from pyro.nn import PyroModule
from torch import Tensor
from tqdm.auto import tqdm

from inference.diagnostics import KHAT_LIMIT, WeightDiagnostics, diagnose
from inference.memory import bytes_allocated
from inference.modes import device_of, evaluating, seeded, unchecked
from inference.proposals import Proposal, amortised

# A log-weight is held in its chunk, among its datum's (4 bytes each), in double precision, and as a weight.
_BYTES_OF_A_WEIGHT = 4 + 4 + 8 + 8
# Beside, ArviZ makes a dozen arrays of one datum's weights for its k̂.
_BYTES_FOR_KHAT = 12 * 8


@dataclass(frozen=True)
class LogLikelihood:
    """Estimates of log p(x) in data units, one per datum, with what says how good they are.

    Attributes:
        weights: the estimate, standard error, ESS and k̂ of each datum.
        elbo: mean log-weight of each datum, an estimate of the ELBO in nats, ``(N,)``.
        particles: K, the number of importance samples per datum.
        features: number of features of a datum.
        log_weights: ``(K, N)`` in nats where they were asked for, else None.
    """

    weights: WeightDiagnostics
    elbo: np.ndarray
    particles: int
    features: int
    log_weights: np.ndarray | None

    def first(self, n: int) -> "LogLikelihood":
        """Return the estimates of the first n data."""
        w = self.weights
        weights = WeightDiagnostics(w.estimate[:n], w.standard_error[:n], w.ess[:n], w.khat[:n])
        log_weights = None if self.log_weights is None else self.log_weights[:, :n]
        return replace(self, weights=weights, elbo=self.elbo[:n], log_weights=log_weights)

    def summary(self) -> dict[str, float]:
        """Return totals over data: means in nats, bits per dimension, and how the weights fared.

        ``standard_error`` is that of the mean over data: it holds the spread of the data and the noise of the
        particles, but not the bias of a poor proposal, which k̂ speaks of.
        """
        w, n = self.weights, len(self.elbo)
        return {
            "nats_per_datum": float(w.estimate.mean()),
            "standard_error": float(w.estimate.std(ddof=1) / math.sqrt(n)) if n > 1 else math.nan,
            "bits_per_dim": float(-w.estimate.mean() / (self.features * math.log(2.0))),
            "elbo": float(self.elbo.mean()),
            "particles": self.particles,
            "n": n,
            "ess_median": float(np.median(w.ess)),
            "khat_median": float(np.median(w.khat)),
            f"khat_above_{KHAT_LIMIT}": math.nan if np.isnan(w.khat).any() else float((w.khat > KHAT_LIMIT).mean()),
        }


def log_likelihood(
    model: PyroModule,
    guide: PyroModule,
    x: Tensor,
    particles: int = 1000,
    *,
    proposal: Proposal = amortised,
    memory: int = 2**26,
    keep_weights: bool = False,
    seed: int = 0,
    progress: bool = True,
) -> LogLikelihood:
    r"""Estimate log p(x) of each datum by importance sampling.

    .. math:: \log \hat p(x) = \log \frac{1}{K} \sum_{k=1}^K \frac{p(x, z_k)}{q(z_k \mid x)},
              \qquad z_k \sim q(z \mid x)

    In expectation this is a lower bound of log p(x), tight as K grows only where q covers the posterior.

    Args:
        model: with ``observation`` and ``decoder``, a plate ``data``, and sites ``z`` and ``x``.
        guide: over the model's latent sites.
        x: data ``(N, *event)`` in data units, on the model's device.
        particles: K, at least 1. Exactly so many are used, whatever the chunks.
        proposal: where the particles come from; by default the guide.
        memory: bound on the working memory in bytes, beside the model, the data and the (K, N) log-weights that
            ``keep_weights`` asks for. For each datum K log-weights must fit in it.
        keep_weights: return the log-weights.
        seed: of the particles.
        progress: show a progress bar where standard error is a terminal.

    Raises:
        ValueError: for data of another shape or outside the support, K < 1, a memory bound that one datum does not
            fit, a proposal without a density, or latent sites that differ from the model's.
        MeasureMismatch: where the observation is not a likelihood.

    Reference: Burda, Grosse and Salakhutdinov, *Importance weighted autoencoders*, ICLR 2016, equation 8.
    """
    model.observation.require_likelihood()
    if particles < 1:
        raise ValueError(f"particles must be at least 1, but got {particles}")
    model.check(x)
    pieces, elbos, kept = list[WeightDiagnostics](), list[np.ndarray](), list[np.ndarray]()
    with evaluating(model, guide), unchecked(), seeded(seed, device_of(model)):
        one = bytes_allocated(lambda: _log_weights(model, proposal(model, guide, x[:1]), x[:1], 1))
        data_at_once, at_once = _within(memory, particles, one)
        with tqdm(total=len(x), unit="datum", disable=None if progress else True) as bar:
            for batch in x.split(data_at_once):
                sampler = proposal(model, guide, batch)
                chunks = [_log_weights(model, sampler, batch, k) for k in _split(particles, at_once)]
                log_w = torch.cat(chunks).double().cpu().numpy()  # (K, B)
                pieces.append(diagnose(log_w, first=len(pieces) * data_at_once))
                elbos.append(log_w.mean(0))
                if keep_weights:
                    kept.append(log_w)
                bar.update(len(batch))
    stacked = {f.name: np.concatenate([getattr(p, f.name) for p in pieces]) for f in fields(WeightDiagnostics)}
    log_weights = np.concatenate(kept, 1) if keep_weights else None
    return LogLikelihood(WeightDiagnostics(**stacked), np.concatenate(elbos), particles, x[0].numel(), log_weights)


def _log_weights(model: PyroModule, sampler: Callable[[Tensor], object], x: Tensor, k: int) -> Tensor:
    """Return log p(x, z) − log q(z | x) for k particles of each datum, ``(k, B)``."""
    # The plate stands outside "data", so every site gets a leading dimension of particles.
    with pyro.plate("particles", k, dim=-2):
        guide_trace = poutine.trace(sampler).get_trace(x)
        model_trace = poutine.trace(poutine.replay(model, guide_trace)).get_trace(x)
    latents = {name for name in model_trace.stochastic_nodes if name not in ("particles", "data")}
    proposed = {name for name in guide_trace.stochastic_nodes if name not in ("particles", "data")}
    if latents != proposed:
        raise ValueError(f"the proposal samples {sorted(proposed)}, but the model's latents are {sorted(latents)}")
    log_w = x.new_zeros(k, len(x))
    for name in latents:
        q = guide_trace.nodes[name]["fn"]
        if isinstance(getattr(q, "base_dist", q), Delta):
            raise ValueError(
                f"the guide puts a point mass on {name!r}, as a plain autoencoder does: it has no density to weight "
                "by; train with a normal guide for a likelihood"
            )
        log_w = log_w - q.log_prob(guide_trace.nodes[name]["value"])
    for name in [*latents, *model_trace.observation_nodes]:
        log_w = log_w + model_trace.nodes[name]["fn"].log_prob(model_trace.nodes[name]["value"])
    return log_w


def _within(memory: int, particles: int, one: int) -> tuple[int, int]:
    """Return how many data, and how many particles of each, fit into a number of bytes; ``one`` pass takes so many.

    As many data at a time as fit with all their particles; else one datum, with its particles in turn.
    """
    room = memory - particles * _BYTES_FOR_KHAT
    if room >= particles * (one + _BYTES_OF_A_WEIGHT):
        return room // (particles * (one + _BYTES_OF_A_WEIGHT)), particles
    weights = particles * (_BYTES_OF_A_WEIGHT + _BYTES_FOR_KHAT)
    if memory < weights + one:
        raise ValueError(
            f"one particle takes up to {one} bytes, and the log-weights of a datum's {particles} take {weights}, but "
            f"memory={memory}; allow more, or take fewer particles"
        )
    return 1, (memory - weights) // one


def _split(total: int, at_most: int) -> Iterator[int]:
    for start in range(0, total, at_most):
        yield min(at_most, total - start)
