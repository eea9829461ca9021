"""From a model, a guide and data to an ArviZ DataTree."""

import math
from collections.abc import Iterator, Mapping, Sequence

import arviz as az
import numpy as np
import torch
import xarray as xr
from pyro.nn import PyroModule
from torch import Tensor

from inference.diagnostics import KHAT_LIMIT, smoothed_weights
from inference.latents import posterior, simulate
from inference.likelihood import LogLikelihood, log_likelihood
from inference.modes import device_of, evaluating, seeded, unchecked

# An image has few channels, and they come first or last.
_CHANNELS = 4
# Dimensions and values.
_Variable = tuple[tuple[str, ...], np.ndarray]


def to_arviz(
    model: PyroModule,
    guide: PyroModule,
    x: Tensor,
    likelihood: LogLikelihood | None = None,
    *,
    labels: Mapping[str, Tensor] | None = None,
    draws: int = 100,
    particles: int = 1000,
    seed: int = 0,
    progress: bool = True,
) -> xr.DataTree:
    r"""Return what model and guide say of data as a tree in ArviZ's schema.

    ========================= ======================================= ==================================================
    group                     variables                               what they are
    ========================= ======================================= ==================================================
    ``posterior``             ``z (chain, draw, datum, latent)``      draws from p(z | x): particles of the likelihood,
                                                                      resampled by their Pareto smoothed weights
    ``guide``                 ``z`` likewise                          draws from q(z | x), unweighted
    ``posterior_predictive``  ``x (chain, draw, datum, *features)``   x̃ ~ p(x | z), z from ``posterior``
    ``log_likelihood``        ``x`` likewise                          log p(x_f | z) of each feature f of x, in nats
    ``prior``                 ``z (chain, draw, latent)``             z ~ p(z)
    ``prior_predictive``      ``x (chain, draw, *features)``          x̃ ~ p(x | z), z from ``prior``
    ``sample_stats``          ``log_weight (particle, datum)``,       how the likelihood was estimated;
                              ``log_marginal_likelihood (datum)``,    :func:`to_elpd` compares models by it
                              ``standard_error``, ``ess``, ``khat``
    ``observed_data``         ``x (datum, *features)``                in data units
    ``constant_data``         such as ``label (datum)``               what else is known of each datum
    ========================= ======================================= ==================================================

    Features are ``feature`` of a vector, ``row`` and ``column`` of an image, and ``channel`` before or after them.

    The draws are independent, and stand in a single chain because most of ArviZ asks for ``chain`` and ``draw``. What
    ArviZ says of Markov chains is empty here: its R̂ and its ESS of ``posterior`` know nothing of the weights; the ESS
    and k̂ that count are those of ``sample_stats``, with one latent z for each datum. Where they are poor, the same
    particle comes again and again among the draws.

    ``az.loo``, ``az.loo_pit`` and ``az.plot_loo_pit`` leave out one *feature* of a datum and predict it from the
    datum's other features, which is valid, as features are independent given z; ``az.loo_approximate_posterior`` does
    so for one datum and draws of the guide. None of them is log p(x). The sum of ``log_likelihood`` over the features
    would make of ``az.loo`` the harmonic mean of p(x | z), whose variance may be infinite. ``az.compare`` of such trees
    ranks how well models fill in features, and :func:`to_elpd` makes it rank the likelihood of held-out data. The
    predictive checks ``az.plot_ppc_*`` on ``posterior_predictive`` look at each datum twice, and are too kind; on
    ``group="prior_predictive"``, or by ``az.plot_loo_pit``, they are not.

    Args:
        model: the generative model.
        guide: its guide.
        x: data ``(N, *event)`` in data units.
        likelihood: of the same data, with its log-weights and its particles; estimated here by default.
        labels: tensors ``(N,)`` by name, if there are any.
        draws: how many draws of z for each datum, and as many from the prior.
        particles: where the likelihood is estimated here, how many for each datum.
        seed: of all draws.
        progress: show a progress bar where the likelihood is estimated here.

    Raises:
        ValueError: for a likelihood without weights and particles, or of other data; for draws < 1.
        MeasureMismatch: where the observation is not a likelihood.

    References: Vehtari, Simpson, Gelman, Yao and Gabry, *Pareto smoothed importance sampling*, JMLR 2024; Rubin, *Using
    the SIR algorithm to simulate posterior distributions*, 1988 (resampling).
    """
    if draws < 1:
        raise ValueError(f"draws must be at least 1, but got {draws}")
    if likelihood is None:
        likelihood = log_likelihood(
            model, guide, x, particles, keep_weights=len(x), keep_particles=len(x), seed=seed, progress=progress
        )
    z = torch.from_numpy(resampled(likelihood, len(x), draws, seed)).to(x.device)
    with evaluating(model, guide), unchecked(), seeded(seed, device_of(model)):
        raw = posterior(guide, x).sample(torch.Size((draws,)))
        replicated, log_p = (np.stack(found) for found in zip(*_predicted(model, z, x), strict=True))
        prior, simulated = simulate(model, draws)
    drawn, features = ("chain", "draw"), feature_dims(x.shape[1:])
    weights = likelihood.weights
    columns = ("standard_error", "ess", "khat")
    stats: dict[str, _Variable] = {name: (("datum",), getattr(weights, name)) for name in columns}
    stats["log_marginal_likelihood"] = (("datum",), weights.estimate)
    known = {name: (("datum",), _array(value)) for name, value in (labels or {}).items()}
    assert likelihood.log_weights is not None
    stats["log_weight"] = (("particle", "datum"), likelihood.log_weights)
    return xr.DataTree.from_dict(
        {
            "posterior": _group({"z": ((*drawn, "datum", "latent"), _array(z)[None])}),
            "guide": _group({"z": ((*drawn, "datum", "latent"), _array(raw)[None])}),
            "posterior_predictive": _group({"x": ((*drawn, "datum", *features), replicated[None])}),
            "log_likelihood": _group({"x": ((*drawn, "datum", *features), log_p[None])}),
            "prior": _group({"z": ((*drawn, "latent"), _array(prior)[None])}),
            "prior_predictive": _group({"x": ((*drawn, *features), _array(simulated)[None])}),
            "sample_stats": _group(stats, proposal=likelihood.proposal, particles=likelihood.particles),
            "observed_data": _group({"x": (("datum", *features), _array(x))}, unit="data units"),
        }
        | ({"constant_data": _group(known)} if known else {})
    )


def to_elpd(likelihood: LogLikelihood) -> az.ELPDData:
    """Return the log-likelihood of held-out data, for ``az.compare`` and ``az.plot_khat``.

    The data are held out, and the parameters fixed: log p(x) of a datum is its predictive density, and nothing is left
    out again. ``p``, the effective number of parameters, is not defined here. The standard error is that over data.

    Args:
        likelihood: of data that the model was not trained on. Those without an estimate make the sum NaN.
    """
    weights, n = likelihood.weights, len(likelihood.evaluations)
    datum = {"datum": np.arange(n)}
    return az.ELPDData(
        elpd=float(weights.estimate.sum()),
        se=float(np.sqrt(n) * weights.estimate.std(ddof=1)) if n > 1 else math.nan,
        p=math.nan,
        n_samples=likelihood.particles,
        n_data_points=n,
        scale="log",
        warning=bool(weights.flagged.any()),
        good_k=KHAT_LIMIT,
        elpd_i=xr.DataArray(weights.estimate, datum),
        pareto_k=xr.DataArray(weights.khat, datum),
    )


def feature_dims(event_shape: Sequence[int]) -> tuple[str, ...]:
    """Return a name for each axis of a datum."""
    match len(event_shape):
        case 1:
            return ("feature",)
        case 2:
            return ("row", "column")
        case 3 if event_shape[0] <= _CHANNELS < event_shape[2]:
            return ("channel", "row", "column")
        case 3 if event_shape[2] <= _CHANNELS:
            return ("row", "column", "channel")
    return tuple(f"axis_{i}" for i in range(len(event_shape)))


def _group(variables: Mapping[str, _Variable], **attributes: object) -> xr.Dataset:
    """Return a dataset whose dimensions are all numbered from 0."""
    sizes = {d: n for dims, values in variables.values() for d, n in zip(dims, values.shape, strict=True)}
    return xr.Dataset(variables, {d: np.arange(n) for d, n in sizes.items()}, attributes)


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy()


def resampled(likelihood: LogLikelihood, n: int, draws: int, seed: int) -> np.ndarray:
    """Return particles that are drawn by their smoothed weights, ``(draws, n, D)``; NaN where no weight is usable."""
    log_w, z = likelihood.log_weights, likelihood.z
    if log_w is None or z is None or not log_w.shape[1] == z.shape[1] == n:
        kept = "neither" if log_w is None or z is None else f"{z.shape[1]} of them"
        raise ValueError(
            f"the posterior of {n} data needs their log-weights and particles, but the likelihood has {kept}; estimate "
            f"it with keep_weights={n} and keep_particles={n}"
        )
    generator = np.random.default_rng(seed)
    weights = smoothed_weights(log_w)
    drawn = np.full((draws, n, z.shape[2]), np.nan, z.dtype)
    for i in np.flatnonzero(np.isfinite(weights).all(0)):
        drawn[:, i] = z[generator.choice(len(z), draws, p=weights[:, i]), i]
    return drawn


def _predicted(model: PyroModule, z: Tensor, x: Tensor) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield x̃ ~ p(x | z) and log p(x | z) by feature, ``(N, *event)`` each, for one draw z ``(N, D)`` at a time."""
    for at in z:
        p_x = model.observation(model.decoder(at))
        yield _array(p_x.sample()), _array(p_x.log_prob(x))
