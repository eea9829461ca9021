"""From results to ArviZ."""

from collections.abc import Mapping

import arviz as az
import numpy as np
import torch
import xarray as xr
from pyro.nn import PyroModule
from torch import Tensor

from inference.latents import posterior
from inference.likelihood import LogLikelihood
from inference.modes import device_of, evaluating, seeded, unchecked


def to_datatree(
    guide: PyroModule,
    x: Tensor,
    likelihood: LogLikelihood,
    labels: Mapping[str, Tensor] | None = None,
    draws: int = 100,
    seed: int = 0,
) -> xr.DataTree:
    """Return draws from the guide and the likelihood of each datum as an ArviZ ``DataTree``.

    Groups: ``posterior`` with ``z (sample, datum, latent)``, draws from the amortised guide q(z | x), which is an
    approximation: they are independent, and not weighted; ``sample_stats`` with standard error, ESS and k̂ of each
    datum; ``log_likelihood`` with the estimate of log p(x) ``(datum)``; ``observed_data`` and ``constant_data``.

    Args:
        guide: q(z | x).
        x: data ``(N, *event)`` in data units.
        likelihood: of the same data.
        labels: tensors ``(N,)`` by name, if there are any.
        draws: how many draws of z for each datum.
        seed: of the draws.
    """
    with evaluating(guide), unchecked(), seeded(seed, device_of(guide)):
        z = posterior(guide, x).sample(torch.Size((draws,))).cpu().numpy()
    weights = likelihood.weights
    features = [f"feature_{i}" for i in range(x.ndim - 1)]
    tree = az.from_dict(
        {"posterior": {"z": z}, "observed_data": {"x": x.cpu().numpy()}},
        sample_dims=["sample"],
        dims={"z": ["datum", "latent"], "x": ["datum", *features]},
        attrs={"posterior": {"drawn_from": "the amortised guide q(z | x), unweighted"}},
    )
    per_datum = {
        "log_likelihood": {"x": weights.estimate},
        "sample_stats": {"standard_error": weights.standard_error, "ess": weights.ess, "khat": weights.khat},
        "constant_data": {name: value.cpu().numpy() for name, value in (labels or {}).items()},
    }
    coordinates = {"datum": np.arange(len(x))}
    for group, variables in per_datum.items():
        if variables:
            tree[group] = xr.Dataset({name: ("datum", value) for name, value in variables.items()}, coordinates)
    tree["log_likelihood"].attrs["particles"] = likelihood.particles
    return tree
