"""From a model, a guide and data to an ArviZ DataTree."""

import math
from collections.abc import Mapping

import arviz as az
import numpy as np
import torch
import xarray as xr
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.inference.features import feature_dims
from obsvae.inference.latents.draws import draw
from obsvae.inference.likelihood.diagnostics import KHAT_LIMIT, smoothed_weights
from obsvae.inference.likelihood.estimate import LogLikelihood, log_likelihood
from obsvae.inference.modes import device_of, unchecked
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.sites import posterior
from obsvae.modes import evaluating, seeded

# Dimensions and values.
_Variable = tuple[tuple[str, ...], np.ndarray]


def to_arviz(
    model: GenerativeModel,
    guide: AmortisedGuide,
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
    ``guide``                 ``z`` likewise,                         draws from q(z | x), unweighted, with
                              ``log_p``, ``log_q (…, datum)``         log p(x, z) and log q(z | x)
    ``posterior_predictive``  ``x (chain, draw, datum, *features)``   x̃ ~ p(x | z), z from ``posterior``
    ``log_likelihood``        ``x`` likewise                          log p(x_f | z) of each feature f of x, in nats
    ``guide_log_likelihood``  ``x`` likewise                          the same for z from ``guide``
    ``prior``                 ``z`` as in ``posterior``               z ~ p(z)
    ``prior_predictive``      ``x`` as in ``posterior_predictive``    x̃ ~ p(x | z), z from ``prior``
    ``sample_stats``          ``log_weight (particle, datum)``,       how the likelihood was estimated;
                              ``log_marginal_likelihood (datum)``,    :func:`to_elpd` compares models by it
                              ``standard_error``, ``ess``, ``khat``
    ``observed_data``         ``x (datum, *features)``                in data units
    ``constant_data``         such as ``label (datum)``               what else is known of each datum
    ========================= ======================================= ==================================================

    Features are ``feature`` of a vector, ``row`` and ``column`` of an image, and ``channel`` before or after them.
    Where all x are whole numbers, they are stored as integers. A guide that is a point mass has no density, so that
    ``log_p``, ``log_q`` and ``guide_log_likelihood`` are left out.

    The draws are independent, and stand in a single chain because most of ArviZ asks for ``chain`` and ``draw``. What
    ArviZ says of Markov chains is empty here: its R̂ and its ESS of ``posterior`` know nothing of the weights; the ESS
    and k̂ that count are those of ``sample_stats``, with one latent z for each datum. Where they are poor, the same
    particle comes again and again among the draws.

    ``az.loo``, ``az.loo_pit`` and ``az.plot_loo_pit`` leave out one *feature* of a datum and predict it from the
    datum's other features, which is valid, as features are independent given z. ``az.loo_approximate_posterior`` does
    so for one datum i and draws of the guide, as :func:`obsvae.of_guide` has them::

        one = of_guide(tree, i)
        az.loo_approximate_posterior(one, one["posterior"]["log_p"], one["posterior"]["log_q"])

    None of them is log p(x). The sum of ``log_likelihood`` over the features
    would make of ``az.loo`` the harmonic mean of p(x | z), whose variance may be infinite. ``az.compare`` of these
    trees ranks how well models fill in features; with :func:`to_elpd` it ranks the likelihood of held-out data. The
    predictive checks ``az.plot_ppc_*`` on ``posterior_predictive`` look at each datum twice, and are too kind; on
    ``group="prior_predictive"``, or by ``az.plot_loo_pit``, they are not. Most of them take data of one dimension:
    :func:`obsvae.by_value` gives such a tree.

    Args:
        model: the generative model.
        guide: its guide.
        x: data ``(N, *event)`` in data units.
        likelihood: of the same data, with its log-weights and its particles; estimated here by default.
        labels: tensors ``(N,)`` by name, if there are any.
        draws: how many draws of z for each datum, of each kind.
        particles: where the likelihood is estimated here, how many for each datum.
        seed: of all draws.
        progress: show a progress bar where the likelihood is estimated here.

    Raises:
        UsageError: for a likelihood without weights and particles, or of other data; for draws < 1.
        MeasureMismatch: where the observation is not a likelihood.

    References: Vehtari, Simpson, Gelman, Yao and Gabry, *Pareto smoothed importance sampling*, JMLR 2024; Rubin, *Using
    the SIR algorithm to simulate posterior distributions*, 1988 (resampling).
    """
    if draws < 1:
        raise UsageError(f"draws must be at least 1, but got {draws}")
    if likelihood is None:
        likelihood = log_likelihood(
            model, guide, x, particles, keep_weights=len(x), keep_particles=len(x), seed=seed, progress=progress
        )
    z = torch.from_numpy(resampled(likelihood, len(x), draws, seed)).to(x.device)
    drawn, features = ("chain", "draw", "datum"), feature_dims(x.shape[1:])
    # The guide must not draw again what the particles were drawn by.
    with evaluating(model, guide), unchecked(), seeded(_another(seed), device_of(model)):
        q = posterior(guide, x)
        raw = q.sample(torch.Size((draws,)))
        prior = model.prior().sample(raw.shape[:2])
        replicated, simulated, log_p = _drawn(model, z), _drawn(model, prior), _by_feature(model, z, x)
        of_guide: dict[str, _Variable] = {"z": ((*drawn, "latent"), _array(raw)[None])}
        by_guide: dict[str, _Variable] = {}
        if guide.has_density:
            found = _by_feature(model, raw, x)
            joint = found.reshape(draws, len(x), -1).sum(-1) + _array(model.prior().log_prob(raw))
            of_guide |= {"log_p": (drawn, joint[None]), "log_q": (drawn, _array(q.log_prob(raw))[None])}
            by_guide = {"x": ((*drawn, *features), found[None])}
    observed, replicated, simulated = _as_integers(_array(x), replicated, simulated)
    weights = likelihood.weights
    columns = ("standard_error", "ess", "khat")
    stats: dict[str, _Variable] = {name: (("datum",), getattr(weights, name)) for name in columns}
    stats["log_marginal_likelihood"] = (("datum",), weights.estimate)
    known = {name: (("datum",), _array(value)) for name, value in (labels or {}).items()}
    assert likelihood.log_weights is not None
    stats["log_weight"] = (("particle", "datum"), likelihood.log_weights)
    groups = {
        "posterior": _group({"z": ((*drawn, "latent"), _array(z)[None])}),
        "guide": _group(of_guide),
        "posterior_predictive": _group({"x": ((*drawn, *features), replicated[None])}),
        "log_likelihood": _group({"x": ((*drawn, *features), log_p[None])}),
        "guide_log_likelihood": _group(by_guide),
        "prior": _group({"z": ((*drawn, "latent"), _array(prior)[None])}),
        "prior_predictive": _group({"x": ((*drawn, *features), simulated[None])}),
        "sample_stats": _group(stats, proposal=likelihood.proposal, particles=likelihood.particles),
        "observed_data": _group({"x": (("datum", *features), observed)}, unit="data units"),
        "constant_data": _group(known),
    }
    return xr.DataTree.from_dict({name: group for name, group in groups.items() if group.data_vars})


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
        raise UsageError(
            f"the posterior of {n} data needs their log-weights and particles, but the likelihood has {kept}; estimate "
            f"it with keep_weights={n} and keep_particles={n}"
        )
    generator = np.random.default_rng(seed)
    weights = smoothed_weights(log_w)
    drawn = np.full((draws, n, z.shape[2]), np.nan, z.dtype)
    for i in np.flatnonzero(np.isfinite(weights).all(0)):
        drawn[:, i] = z[generator.choice(len(z), draws, p=weights[:, i]), i]
    return drawn


def _drawn(model: GenerativeModel, z: Tensor) -> np.ndarray:
    """Return x̃ ~ p(x | z) ``(S, N, *event)`` for z ``(S, N, D)``, one draw of all data at a time."""
    return np.stack([_array(draw(model, at)) for at in z])


def _by_feature(model: GenerativeModel, z: Tensor, x: Tensor) -> np.ndarray:
    """Return log p(x | z) of each feature likewise."""
    return np.stack([_array(model.given(at).log_prob(x)) for at in z])


def _as_integers(*arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return arrays as integers where all of them hold nothing else: some of ArviZ asks so of counts."""
    for dtype in (np.int32, np.int64):
        limit = float(np.iinfo(dtype).max)
        if all((np.abs(a) < limit).all() and (a == np.round(a)).all() for a in arrays):
            return tuple(a.astype(dtype) for a in arrays)
    return arrays


def _another(seed: int) -> int:
    return int(np.random.SeedSequence(seed).spawn(1)[0].generate_state(1)[0])
