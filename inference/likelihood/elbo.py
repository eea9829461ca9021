"""The evidence lower bound that a guide reaches, datum by datum."""

import numpy as np
import torch
from torch import Tensor

from obsvae.errors import UsageError
from obsvae.inference.likelihood.estimate import prepared
from obsvae.inference.likelihood.proposals.amortised import Amortised
from obsvae.inference.protocols import AmortisedGuide, GenerativeModel


def elbo(
    model: GenerativeModel, guide: AmortisedGuide, x: Tensor, draws: int = 100, *, memory: int = 2**27, seed: int = 0
) -> np.ndarray:
    r"""Estimate the guide's ELBO of each datum in nats, ``(N,)``, by draws from the guide.

    .. math:: \operatorname{E}_{q(z \mid x)} [\log p(x, z) - \log q(z \mid x)] \le \log p(x)

    Args:
        model: the generative model.
        guide: its guide.
        x: data ``(N, *event)`` in data units, on the model's device.
        draws: how many for each datum.
        memory: bound on the working memory in bytes, as that of :func:`log_likelihood`.
        seed: of the draws.

    Raises:
        UsageError: for a guide without a density, and as :func:`log_likelihood` does.
        MeasureMismatch: where the observation is not a likelihood.
    """
    if not guide.has_density:
        raise UsageError("the guide puts a point mass on 'z', which has no ELBO; train with a guide that has a density")
    proposal, means = Amortised(), []
    with prepared(model, guide, x, draws, proposal, memory, seed) as (whole, at_once):
        for which in torch.arange(len(x)).split(at_once):
            _, log_weights = proposal(whole.select(which))(draws)
            means.append(log_weights.double().mean(0))
    return torch.cat(means).cpu().numpy()
