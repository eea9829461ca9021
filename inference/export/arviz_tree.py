"""From a model, a guide and data to an ArviZ DataTree."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.inference.export.groups import CHAINS, COLUMN, Variable, as_integers, distinct, group
from obsvae.inference.export.tails import with_tails
from obsvae.inference.features import feature_dims
from obsvae.inference.latents.draws import draw
from obsvae.inference.likelihood.diagnostics import smoothed_weights
from obsvae.inference.likelihood.estimate import log_likelihood
from obsvae.inference.likelihood.result import LogLikelihood
from obsvae.inference.modes import device_of, unchecked
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.sites import posterior, require_data
from obsvae.modes import another, evaluating, seeded

if TYPE_CHECKING:
    import xarray as xr

_OF_THE_DRAWS = {
    "draws": "particles of the proposal in sample_stats, drawn independently and with replacement by their Pareto "
    "smoothed weights; no Markov chain: two halves of such draws stand as two chains",
    "diagnostics": "ess, khat and distinct_draws (datum) of sample_stats; R-hat and ESS by ArviZ see neither the "
    "weights nor particles that were drawn again",
}


def to_arviz(
    model: GenerativeModel,
    guide: AmortisedGuide,
    x: Tensor,
    likelihood: LogLikelihood | None = None,
    *,
    c: Tensor | None = None,
    columns: Sequence[str] | None = None,
    labels: Mapping[str, Tensor] | None = None,
    attributes: Mapping[str, str | float] | None = None,
    draws: int = 100,
    particles: int = 1000,
    seed: int = 0,
    progress: bool = True,
) -> "xr.DataTree":
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
    ``log_prior``             ``z (chain, draw, datum)``              log p(z), z from ``posterior``, for ``az.psense``
    ``prior``                 ``z`` as in ``posterior``               z ~ p(z)
    ``prior_predictive``      ``x`` as in ``posterior_predictive``    x̃ ~ p(x | z), z from ``prior``
    ``sample_stats``          ``log_weight (particle, datum)``,       how the likelihood was estimated;
                              ``log_marginal_likelihood (datum)``,    :func:`obsvae.compare_trees` ranks models by it;
                              ``standard_error``, ``ess``, ``khat``   how many particles are among the draws, which are
                              ``distinct_draws``                      resampled with replacement
    ``observed_data``         ``x (datum, *features)``                in data units
    ``constant_data``         such as ``label (datum)``,              what else is known of each datum, and, where the
                              ``condition (datum, condition_dim)``    model has conditions, these, as networks see them
    ========================= ======================================= ==================================================

    Features are ``feature`` of a vector, ``row`` and ``column`` of an image, and ``channel`` before or after them; of a
    table ``column`` with the columns' names: ``tree.sel(column=["weight"])``. A missing entry is NaN in
    ``observed_data``, and 0 in ``log_likelihood``; the draws fill it.
    Where all x are whole numbers, they are stored as integers. A guide that is a point mass has no density, so that
    ``log_p``, ``log_q`` and ``guide_log_likelihood`` are left out.

    Attributes of the tree, and of ``log_likelihood``, name the ``measure`` of p(x | z) (a density is not to be ranked
    against a mass), whether it ``is_bound`` alone, its ``unit``, and that of the data; of a table ``measure_by_column``
    tells the measure of each column, as JSON. :func:`obsvae.compare_trees` refuses what does not compare;
    ``az.compare`` does not look.

    The draws are independent given the particles. They stand in two chains of half the draws each, since ArviZ asks for
    chains, but what it says of Markov chains is empty here. Both halves come from the same particles, so that R̂ is near
    1 even where those miss the posterior, and ``az.ess`` sees neither the weights nor particles that were drawn again.
    ``az.diagnose`` complains of R̂ above 1.01, which 50 independent draws a chain exceed in 4 of 10 cases, and calls NaN
    satisfactory, such as the R̂ where one particle is all draws. The numbers that count are ``ess``, ``khat`` and
    ``distinct_draws`` of ``sample_stats``, with one latent z for each datum.

    ``az.loo``, ``az.loo_pit`` and ``az.plot_loo_pit`` leave out one *feature* of a datum and predict it from the
    datum's other features, which is valid, as features are independent given z. They need at least 25 draws. For a
    datum whose own k̂ is above 0.7 believe none of its features. The k̂ of a feature is NaN, and left out of ArviZ's
    counts, where nothing can be fitted: its lowest log-likelihoods are equal, as of a pixel whose mass is 1 whatever z,
    or come from one particle. ArviZ would stop there; so one of the draws is set apart by the smallest step of the
    number format (``set_apart`` counts such features; :mod:`obsvae.inference.export.tails`).
    ``az.loo_approximate_posterior`` leaves out features of one datum i by draws of the guide, as
    :func:`obsvae.of_guide` has them::

        one = of_guide(tree, i)
        az.loo_approximate_posterior(one, one["posterior"]["log_p"], one["posterior"]["log_q"])

    None of them is log p(x). The sum of ``log_likelihood`` over the features would make of ``az.loo`` the harmonic mean
    of p(x | z), whose variance may be infinite. ``az.compare`` of these trees ranks how well models fill in features;
    :func:`obsvae.compare_trees` ranks the likelihood of held-out data. ``az.psense`` scales the priors of all data at
    once, whose noise hides each: give it ``tree.isel(datum=[i])``, and thousands of draws. The predictive checks
    ``az.plot_ppc_*`` on ``posterior_predictive`` look at each datum twice, and are too kind; on
    ``group="prior_predictive"``, or by ``az.plot_loo_pit`` where its k̂ are good, they are not. Most of them take data
    of one dimension: :func:`obsvae.by_value` gives such a tree.

    Args:
        model: the generative model.
        guide: its guide.
        x: data ``(N, *event)`` in data units.
        likelihood: of the same data, with its log-weights and its particles; estimated here by default.
        c: conditions of the data ``(N, C)``; None where the model has none. Draws from the prior have them, too.
        columns: names of the columns of a table, if x ``(N, D)`` is one.
        labels: tensors ``(N,)`` by name, if there are any.
        attributes: of the tree, what else is known of all data, such as ``data_unit``, by default "data units", or
            ``grid_low``, ``grid_step`` and ``grid_levels`` of the grid whose masses are exported.
        draws: how many draws of z for each datum, of each kind: an even number, half of it in each chain.
        particles: where the likelihood is estimated here, how many for each datum.
        seed: of all draws.
        progress: show a progress bar where the likelihood is estimated here.

    Raises:
        UsageError: for a likelihood without weights and particles, or of other data; for draws that are odd or < 2;
            for names of another number of columns than there are.
        MeasureMismatch: where the observation is not a likelihood.

    References: Vehtari, Simpson, Gelman, Yao and Gabry, *Pareto smoothed importance sampling*, JMLR 2024; Rubin, *Using
    the SIR algorithm to simulate posterior distributions*, 1988 (resampling).
    """
    require_data(model, guide, x)
    model.require_given(c, len(x))
    if draws < CHAINS or draws % CHAINS:
        raise UsageError(f"draws must be an even number of at least 2, for two chains of equal length, but got {draws}")
    if columns is not None and x.shape[1:] != (len(columns),):
        raise UsageError(f"a table of {len(columns)} columns needs shape (rows, {len(columns)}); got {tuple(x.shape)}")
    if likelihood is None:
        likelihood = log_likelihood(
            model, guide, x, particles, c=c, keep_weights=len(x), keep_particles=len(x), seed=seed, progress=progress
        )
    z = torch.from_numpy(resampled(likelihood, len(x), draws, seed)).to(x.device)
    drawn, dims = ("chain", "draw", "datum"), feature_dims(x.shape[1:]) if columns is None else (COLUMN,)
    names = list(columns or ())
    # The guide must not draw again what the particles were drawn by.
    with evaluating(model, guide), unchecked(), seeded(another(seed), device_of(model)):
        q = posterior(guide, x, c)
        raw = q.sample(torch.Size((draws,)))
        prior = model.prior().sample(raw.shape[:2])
        replicated, simulated, log_p = _drawn(model, z, c), _drawn(model, prior, c), _by_feature(model, z, x, c)
        log_prior = _array(model.prior().log_prob(z))
        of_guide: dict[str, Variable] = {"z": ((*drawn, "latent"), _array(raw))}
        by_guide: dict[str, Variable] = {}
        if guide.has_density:
            found = _by_feature(model, raw, x, c)
            joint = found.reshape(draws, len(x), -1).sum(-1) + _array(model.prior().log_prob(raw))
            of_guide |= {"log_p": (drawn, joint), "log_q": (drawn, _array(q.log_prob(raw)))}
            by_guide = {"x": ((*drawn, *dims), found)}
    log_p, set_apart = with_tails(log_p)
    observed, replicated, simulated = as_integers(_array(x), replicated, simulated)
    weights = likelihood.weights
    told = ("standard_error", "ess", "khat")
    stats: dict[str, Variable] = {name: (("datum",), getattr(weights, name)) for name in told}
    stats["log_marginal_likelihood"] = (("datum",), weights.estimate)
    stats["distinct_draws"] = (("datum",), distinct(_array(z)))
    known: dict[str, Variable] = {name: (("datum",), _array(value)) for name, value in (labels or {}).items()}
    if c is not None:
        known["condition"] = (("datum", "condition_dim"), _array(c))
    proposed = {"proposal": likelihood.proposal, "particles": likelihood.particles}
    assert likelihood.log_weights is not None
    stats["log_weight"] = (("particle", "datum"), likelihood.log_weights)
    scale = {"measure": model.measure.value, "is_bound": int(model.is_bound), "unit": "nats"}
    if model.measures:
        by_column = {name: measure.value for name, measure in model.measures.items()}
        scale["measure_by_column"] = json.dumps(by_column, ensure_ascii=False)
    about = {"data_unit": "data units", **(attributes or {}), **scale}
    of_features = {**scale, "data_unit": about["data_unit"], "pointwise": "one feature of a datum, given z"}
    groups = {
        "posterior": group({"z": ((*drawn, "latent"), _array(z))}, attributes=_OF_THE_DRAWS),
        "guide": group(of_guide),
        "posterior_predictive": group({"x": ((*drawn, *dims), replicated)}, names),
        "log_likelihood": group({"x": ((*drawn, *dims), log_p)}, names, {**of_features, "set_apart": set_apart}),
        "guide_log_likelihood": group(by_guide, names, of_features),
        "log_prior": group({"z": (drawn, log_prior)}, attributes={"unit": "nats"}),
        "prior": group({"z": ((*drawn, "latent"), _array(prior))}),
        "prior_predictive": group({"x": ((*drawn, *dims), simulated)}, names),
        "sample_stats": group(stats, attributes=proposed),
        "observed_data": group({"x": (("datum", *dims), observed)}, names, {"unit": about["data_unit"]}),
        "constant_data": group(known),
    }
    import xarray as xr  # takes half a second to load

    kept = {name: found for name, found in groups.items() if found.data_vars}
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=about), **kept})


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


def _drawn(model: GenerativeModel, z: Tensor, c: Tensor | None) -> np.ndarray:
    """Return x̃ ~ p(x | z) ``(S, N, *event)`` for z ``(S, N, D)``, one draw of all data at a time."""
    return np.stack([_array(draw(model, at, c)) for at in z])


def _by_feature(model: GenerativeModel, z: Tensor, x: Tensor, c: Tensor | None) -> np.ndarray:
    """Return log p(x | z) of each feature likewise."""
    return np.stack([_array(model.given(at, c).log_prob(x)) for at in z])
