"""The evidence lower bound that a guide reaches, datum by datum."""

import numpy as np
import torch
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.inference.likelihood.estimate import batches_of, prepared
from obsvae.inference.likelihood.proposals.amortised import Amortised
from obsvae.inference.processes.alone import ALONE, Processes
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel
from obsvae.inference.sites import require_pair


def elbo(
    model: GenerativeModel,
    guide: AmortisedGuide,
    x: Tensor,
    draws: int = 100,
    *,
    c: Tensor | None = None,
    memory: int = 2**27,
    seed: int = 0,
    processes: Processes = ALONE,
) -> np.ndarray:
    r"""Estimate the guide's ELBO of each datum in nats, ``(N,)``, by draws from the guide.

    .. math:: \operatorname{E}_{q(z \mid x)} [\log p(x, z) - \log q(z \mid x)] \le \log p(x)

    Args:
        model: the generative model.
        guide: its guide.
        x: data ``(N, *event)`` in data units, on the model's device.
        draws: how many for each datum.
        c: conditions of the data ``(N, C)``; None where the model has none.
        memory: bound on the working memory in bytes, as that of :func:`log_likelihood`.
        seed: of the draws.
        processes: that share the data, where each calls this function alike; each returns all results.

    Raises:
        UsageError: for a guide without a density, and as :func:`log_likelihood` does.
        MeasureMismatch: where the observation is not a likelihood.
    """
    require_pair(model, guide)
    if not guide.has_density:
        raise UsageError("the guide puts a point mass on 'z', which has no ELBO; train with a guide that has a density")
    proposal, means = Amortised(), list[Tensor]()
    with prepared(model, guide, x, draws, proposal, memory, seed, c) as (whole, at_once):
        for which in batches_of(processes.part(len(x)), at_once):
            _, log_weights = proposal(whole.select(which))(draws)
            means.append(log_weights.double().mean(0).cpu())
    return torch.cat([mean for some in processes.gather(means) for mean in some]).numpy()
